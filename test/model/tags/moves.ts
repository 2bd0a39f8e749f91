import type { Expected } from './rule.ts'
import { groups, names, stampName } from './universe.ts'

/** What a value depends on: what it follows, and when its stamps were written. */
export interface Follower {
  /** The database's version that the value is known to follow. */
  readonly version: number
  readonly storedAt: number
}

const FRESH: Expected = { words: ['fresh'], rule: 'useful', because: 'nothing has happened to it' }

/**
 * All that happens to the database, and all that happens to a key of Redis, in one order: the database's version. Per
 * group of entries, when it was made void or stale, and since when its stamp is there.
 */
export class Moves {
  /** Raised by each write, each loss and each store. */
  version = 1
  readonly #voidAt = new Map<string, number>()
  readonly #staleAt = new Map<string, number>()
  /** Since when a stamp has been there without a break, and when it was last lost. */
  readonly #bornAt = new Map<string, number>()
  readonly #lostAt = new Map<string, number>()
  #chainBornAt: number | undefined
  #linkedAt = 0

  get hasChain(): boolean {
    return this.#chainBornAt !== undefined
  }

  tick(): number {
    this.version++
    return this.version
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A change of the truth, which makes the chain where there is none. */
  link(): void {
    this.#linkedAt = this.tick()
    this.makeChain()
  }

  makeChain(): void {
    this.#chainBornAt ??= this.version
  }

  invalidate(group: string): void {
    this.link()
    this.#voidAt.set(group, this.version)
    this.bear([group])
  }

  soften(group: string): void {
    this.link()
    this.#staleAt.set(group, this.version)
  }

  /** Something is stored that carries the stamps of these groups: those that were absent are made. */
  bear(of: readonly string[]): void {
    for (const name of of.map(stampName)) if (!this.#bornAt.has(name)) this.#bornAt.set(name, this.version)
  }

  /** A stamp or the chain is gone, or something foreign stands in its place. */
  lose(name: string): void {
    this.tick()
    if (name === names.chain) {
      this.#chainBornAt = undefined
      return
    }
    this.#bornAt.delete(name)
    this.#lostAt.set(name, this.version)
  }

  loseAll(): void {
    for (const name of [names.chain, ...groups.map(stampName)]) this.lose(name)
  }

  // ── What that means ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The group that was made void after this version, if any was. */
  movedSince(version: number, of: readonly string[]): string | undefined {
    return of.find((group) => at(this.#voidAt, group) > version)
  }

  /** How a value stands that depends on these groups, to who knows all of their stamps. */
  standing(value: Follower, of: readonly string[]): Expected {
    const told = this.standingByNotices(value, of)
    if (told.words[0] === 'void') return told
    const lost = of.find((group) => at(this.#lostAt, stampName(group)) > value.storedAt)
    if (lost === undefined) return told
    return { words: ['void'], rule: 'P7', because: `the stamp of ${lost} was lost after it was stored` }
  }

  /** The same to who has heard of all moves; of a loss there is nothing to hear. */
  standingByNotices({ version }: Follower, of: readonly string[]): Expected {
    const moved = this.movedSince(version, of)
    if (moved !== undefined) {
      return { words: ['void'], rule: 'P3', because: `${moved} was invalidated after its load began` }
    }
    const stale = of.find((group) => at(this.#staleAt, group) > version)
    if (stale === undefined) return FRESH
    return { words: ['stale'], rule: 'soft', because: `${stale} was expired after its load began` }
  }

  /**
   * Whether a commit must be taken whose load began at this version, when none of its groups was made void since. With
   * the chain as it was, it must where each stamp was there all the while, or where no link was added at all.
   */
  mustTake(version: number, of: readonly string[]): boolean {
    if (this.#chainBornAt === undefined || this.#chainBornAt > version) return false
    if (this.#linkedAt <= version) return true
    return of.every((group) => at(this.#bornAt, stampName(group), Number.POSITIVE_INFINITY) <= version)
  }
}

function at(versions: ReadonlyMap<string, number>, name: string, otherwise = 0): number {
  return versions.get(name) ?? otherwise
}
