/** How many groups are remembered one by one; beyond that the oldest count as moved. */
const GROUPS_MOST = 10_000

/**
 * What this process knows of groups that were made void: a counter of all such moves, and per group the count of its
 * last one. A group is a tag, or a namespace that was cleared.
 *
 * Whoever starts to read or load notes the count. What depends on a group that moved since is void. One compare of two
 * integers tells the commonest case: nothing moved at all.
 */
export class Marks {
  /** How many moves there were. */
  count = 0
  /** Everything noted before this count is void. */
  #floor = 0
  readonly #lastMove = new Map<string, number>()

  /** Makes void what depends on one group. */
  move(group: string): void {
    this.count++
    this.#lastMove.delete(group)
    this.#lastMove.set(group, this.count)
    if (this.#lastMove.size > GROUPS_MOST) this.#forgetOldest()
  }

  /** Makes void all that was noted until now. */
  moveAll(): void {
    this.count++
    this.#floor = this.count
    this.#lastMove.clear()
  }

  /** Whether one of the groups has moved since the count was noted. */
  movedSince(groups: readonly string[], count: number): boolean {
    if (count < this.#floor) return true
    for (const group of groups) if ((this.#lastMove.get(group) ?? 0) > count) return true
    return false
  }

  /** A forgotten move counts as one of everything: absence never means "fresh". */
  #forgetOldest(): void {
    for (const [group, count] of this.#lastMove) {
      this.#lastMove.delete(group)
      this.#floor = Math.max(this.#floor, count)
      return
    }
  }
}

/** The name of a tag among the groups. */
export function tagGroup(tag: string): string {
  return `t:${tag}`
}

/** The name of a namespace among the groups. */
export function namespaceGroup(namespace: string): string {
  return `k:${namespace}`
}
