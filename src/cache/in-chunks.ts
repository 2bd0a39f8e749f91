/**
 * The most keys of a batch that wait for Redis at a time: what 512 commands take is far below their deadline, and what they
 * keep waiting of other callers' as well. A batch of any size meets no deadline behind its own commands.
 */
const CHUNK = 512

/**
 * Begins an act for each item, in their order: at once for the first ones, and for each further chunk when those before it
 * have been `answered`, which by default is when their acts have ended. `answered` never rejects. Whoever calls this sees
 * to rejections at once, as `Promise.all` does.
 */
export function inChunks<Item, Done>(
  items: readonly Item[],
  act: (item: Item) => Promise<Done>,
  answered: (item: Item, acting: Promise<Done>) => Promise<unknown> = ended,
): Promise<Done>[] {
  if (items.length <= CHUNK) return items.map(act)
  const begun: Promise<Done>[] = []
  let earlier: Promise<unknown> = Promise.resolve()
  for (let from = 0; from < items.length; from += CHUNK) {
    const chunk = items.slice(from, from + CHUNK)
    const before = earlier
    const acting = chunk.map((item) => (from === 0 ? act(item) : before.then(() => act(item))))
    earlier = Promise.all(chunk.map((item, index) => answered(item, acting[index] as Promise<Done>)))
    begun.push(...acting)
  }
  return begun
}

function ended(_: unknown, acting: Promise<unknown>): Promise<void> {
  return acting.then(nothing, nothing)
}

function nothing(): void {}
