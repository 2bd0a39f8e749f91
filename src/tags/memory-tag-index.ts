import { namespaceGroup, tagGroup } from '../entry/key.ts'
import type { Stamp } from '../entry/stamp.ts'
import { judgeStamps } from '../entry/stamp.ts'
import type { Judgement, TagIndex } from './tag-index.ts'

/** A link of the chain (see `bus/chain.ts`). */
interface Link {
  readonly n: number
  readonly tip: string
}

/** Adds a link to the chain: a tag was made void or stale, or a namespace was cleared. */
export type GroupLink = (operation: 'T' | 'U' | 'X', subject: string) => Link

interface GroupStamp extends Stamp {
  /** The chain's number at the group's last invalidation. */
  readonly n: number
}

/** The nonce of a stamp that no invalidation made. */
const NO_NONCE = '0'.repeat(16)

/** The stamps of all groups, for one fleet. A group that no entry carried, and that never moved, has none. */
export class MemoryStamps {
  readonly #stamps = new Map<string, GroupStamp>()

  /** The stamps that hold now, in the order of the groups. */
  current(groups: readonly string[]): readonly (Stamp | undefined)[] {
    return groups.map((group) => this.#stamps.get(group))
  }

  /**
   * What an entry carries that follows the chain's number `n0`: stamps are made where there are none. `undefined` where a
   * group was made void since.
   */
  carriedFrom(groups: readonly string[], n0: number): readonly string[] | undefined {
    const stamps = groups.map((group) => this.#stamps.get(group) ?? { name: `${n0}:${NO_NONCE}`, n: 0, softN: 0 })
    if (stamps.some(({ n }) => n > n0)) return undefined
    for (const [index, stamp] of stamps.entries()) this.#stamps.set(groups[index] as string, stamp)
    return stamps.map(({ name }) => name)
  }

  move(group: string, { n, tip }: Link): void {
    this.#stamps.set(group, { name: `${n}:${tip}`, n, softN: 0 })
  }

  moveSoftly(group: string, link: Link): void {
    // Where no entry carries it there is nothing to make stale yet: what is being loaded is stored as stale.
    const stamp = this.#stamps.get(group) ?? { name: `0:${link.tip}`, n: 0 }
    this.#stamps.set(group, { ...stamp, softN: link.n })
  }
}

/** The tag index without Redis, of one process of those that share the stamps. */
export class MemoryTagIndex implements TagIndex {
  readonly #stamps: MemoryStamps
  readonly #link: GroupLink

  constructor(stamps: MemoryStamps, link: GroupLink) {
    this.#stamps = stamps
    this.#link = link
  }

  async clear(namespace: string): Promise<void> {
    this.#stamps.move(namespaceGroup(namespace), this.#link('X', namespace))
  }

  async invalidate(tag: string): Promise<void> {
    this.#stamps.move(tagGroup(tag), this.#link('T', tag))
  }

  async expire(tag: string): Promise<void> {
    this.#stamps.moveSoftly(tagGroup(tag), this.#link('U', tag))
  }

  async judge(_bucket: number, tags: readonly string[], carried: readonly string[], n0: number): Promise<Judgement> {
    const verdict = judgeStamps(carried, n0, this.#stamps.current(tags.map(tagGroup)))
    return { verdict, asOf: Number.POSITIVE_INFINITY }
  }
}
