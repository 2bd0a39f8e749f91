/** So many reads in a row that found nothing in L2 make the next one likely to find nothing too. */
const MISSES_FEWEST = 8

/**
 * Whether L2 is likely to have nothing for the next reader either: after a flush, a deployment, a stampede on new keys.
 * Then the lease is asked for straight away, which saves a round trip; where an entry is there all the same, the lease
 * is not granted and the reader pays one. At a hit ratio of one half, one reader in 500 does.
 */
export class ColdStreak {
  #misses = 0

  get isCold(): boolean {
    return this.#misses >= MISSES_FEWEST
  }

  noted(found: boolean): void {
    this.#misses = found ? 0 : this.#misses + 1
  }
}
