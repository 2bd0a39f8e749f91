/**
 * The most keys of a batch that are begun in one turn of the event loop: what Redis answers is read between two turns, so
 * that no command meets its deadline behind the others of its batch.
 */
const CHUNK = 512

/**
 * Begins an act for each item, in their order: at once for the first ones, a turn of the event loop later for each further
 * chunk. Whoever calls this sees to rejections at once, as `Promise.all` does.
 */
export function inChunks<Item, Done>(items: readonly Item[], act: (item: Item) => Promise<Done>): Promise<Done>[] {
  if (items.length <= CHUNK) return items.map(act)
  let turn = Promise.resolve()
  return items.map((item, index) => {
    if (index < CHUNK) return act(item)
    if (index % CHUNK === 0) turn = turn.then(nextTurn)
    return turn.then(() => act(item))
  })
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
