/** How many groups are remembered one by one; beyond that the oldest count as moved. */
const GROUPS_MOST = 10_000

/**
 * What this process knows of groups that were made void or stale: a counter of all such moves, and per group the count
 * of its last one of either kind. A group is a tag, or a namespace that was cleared.
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
  readonly #lastSoftMove = new Map<string, number>()

  /** Makes void what depends on one group. */
  move(group: string): void {
    this.#note(this.#lastMove, group)
  }

  /** Makes stale what depends on one group. */
  moveSoftly(group: string): void {
    this.#note(this.#lastSoftMove, group)
  }

  /** Makes void all that was noted until now. */
  moveAll(): void {
    this.count++
    this.#floor = this.count
    this.#lastMove.clear()
    this.#lastSoftMove.clear()
  }

  /** Whether one of the groups was made void since the count was noted. */
  movedSince(groups: readonly string[], count: number): boolean {
    return count < this.#floor || isIn(this.#lastMove, groups, count)
  }

  /** Whether one of the groups was made stale since the count was noted. */
  movedSoftlySince(groups: readonly string[], count: number): boolean {
    return isIn(this.#lastSoftMove, groups, count)
  }

  #note(moves: Map<string, number>, group: string): void {
    this.count++
    moves.delete(group)
    moves.set(group, this.count)
    if (moves.size > GROUPS_MOST) this.#forgetOldest(moves)
  }

  /** A forgotten move counts as one of everything: absence never means "fresh". */
  #forgetOldest(moves: Map<string, number>): void {
    for (const [group, count] of moves) {
      moves.delete(group)
      this.#floor = Math.max(this.#floor, count)
      return
    }
  }
}

function isIn(moves: ReadonlyMap<string, number>, groups: readonly string[], since: number): boolean {
  if (moves.size === 0) return false
  for (const group of groups) if ((moves.get(group) ?? 0) > since) return true
  return false
}
