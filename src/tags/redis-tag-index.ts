import type { Clock } from '../clock.ts'
import type { RedisNames } from '../entry/key.ts'
import { chainField, namespaceGroup, tagGroup } from '../entry/key.ts'
import { noticeBody } from '../entry/notice.ts'
import type { Stamp } from '../entry/stamp.ts'
import { judgeStamps, readStamp } from '../entry/stamp.ts'
import type { BatchedReads } from '../redis/batched-reads.ts'
import type { RedisClient } from '../redis/client.ts'
import { expireTag, invalidateGroup } from '../redis/scripts.ts'
import type { Marks } from './marks.ts'
import type { Judgement, TagIndex } from './tag-index.ts'

export interface RedisTagIndexSettings {
  readonly names: RedisNames
  /** This process, in notices. */
  readonly origin: string
  readonly maxStalenessMs: number
}

/** What a stamp's memory is measured by: the marks of its group, and the proof of being current. */
export interface Currency {
  readonly marks: Marks
  /** The last instant up to which everything is known to have been heard (see `bus/bus.ts`). */
  verifiedAt(): number
  /** The last instant at which this process was found to be behind. */
  behindAt(): number
}

/** A stamp as it was read, with what tells whether it still is the one. */
interface Remembered {
  readonly stamp: Stamp
  readonly mark: number
  readonly asOf: number
}

/** What is known of a tag's stamp: it, or its absence, and when that was so. */
interface Known {
  readonly stamp: Stamp | undefined
  readonly asOf: number
}

/** How long a stamp lives that no entry carries yet. */
const UNUSED_STAMP_MS = 86_400_000

const REMEMBERED_MOST = 10_000
/**
 * A stamp is read again after so long, however well it is proven: Redis may evict what nobody reads, and with the stamp
 * all entries of its tag are gone.
 */
const REREAD_MS = 60_000

/**
 * The tag index in Redis: one stamp per group, moved by a script that publishes the notice. Stamps are remembered for as
 * long as L1 would believe an entry: until their group moves, within the bound on staleness. Absence is not remembered.
 */
export class RedisTagIndex implements TagIndex {
  readonly #client: RedisClient
  readonly #reads: BatchedReads
  readonly #settings: RedisTagIndexSettings
  readonly #clock: Clock
  readonly #currency: Currency
  readonly #remembered = new Map<string, Remembered>()

  constructor(
    client: RedisClient,
    reads: BatchedReads,
    settings: RedisTagIndexSettings,
    clock: Clock,
    currency: Currency,
  ) {
    this.#client = client
    this.#reads = reads
    this.#settings = settings
    this.#clock = clock
    this.#currency = currency
  }

  async clear(namespace: string): Promise<void> {
    const { names, origin } = this.#settings
    const group = namespaceGroup(namespace)
    await this.#invalidate(names.clearStamp(namespace), group, noticeBody('X', origin, namespace))
  }

  async invalidate(tag: string): Promise<void> {
    const { names, origin } = this.#settings
    await this.#invalidate(names.tagStamp(tag), tagGroup(tag), noticeBody('T', origin, tag))
  }

  async #invalidate(stamp: string, group: string, body: string): Promise<void> {
    const { chain, channel } = this.#settings.names
    const tip = this.#clock.nonce(8)
    await invalidateGroup(
      this.#client,
      { stamp, chain, channel },
      { tip, body, field: chainField(group), lifeMs: UNUSED_STAMP_MS },
    )
  }

  async expire(tag: string): Promise<void> {
    const { names, origin } = this.#settings
    await expireTag(
      this.#client,
      { stamp: names.tagStamp(tag), chain: names.chain, channel: names.channel },
      { tip: this.#clock.nonce(8), body: noticeBody('U', origin, tag), field: chainField(tagGroup(tag)) },
    )
  }

  async judge(tags: readonly string[], carried: readonly string[], n0: number): Promise<Judgement> {
    const remembered = judged(
      tags.map((tag) => this.#recall(tag)),
      carried,
      n0,
    )
    // A stamp that was evicted is made anew without a notice: memory never says that an entry is void.
    return remembered.verdict === 'void' ? judged(await this.#read(tags), carried, n0) : remembered
  }

  #recall(tag: string): Known | undefined {
    const remembered = this.#remembered.get(tag)
    if (!remembered) return undefined
    const { marks, verifiedAt, behindAt } = this.#currency
    const knownAt = Math.max(remembered.asOf, verifiedAt())
    const group = [tagGroup(tag)]
    const now = this.#clock.now()
    const isCurrent =
      now - knownAt <= this.#settings.maxStalenessMs &&
      knownAt >= behindAt() &&
      now - remembered.asOf <= REREAD_MS &&
      !marks.movedSince(group, remembered.mark) &&
      !marks.movedSoftlySince(group, remembered.mark)
    if (!isCurrent) this.#remembered.delete(tag)
    return isCurrent ? { stamp: remembered.stamp, asOf: knownAt } : undefined
  }

  #read(tags: readonly string[]): Promise<Known[]> {
    // Noted before the read goes out: a move that is heard meanwhile makes what was read void.
    const mark = this.#currency.marks.count
    const keys = tags.map((tag) => this.#settings.names.tagStamp(tag))
    return new Promise((resolve, reject) => {
      this.#reads.read(
        keys,
        (values, asOf) => {
          const stamps = values.map(readStamp)
          stamps.forEach((stamp, index) => {
            if (stamp) this.#remember(tags[index] as string, { stamp, mark, asOf })
          })
          resolve(stamps.map((stamp) => ({ stamp, asOf })))
        },
        reject,
      )
    })
  }

  #remember(tag: string, remembered: Remembered): void {
    this.#remembered.delete(tag)
    this.#remembered.set(tag, remembered)
    if (this.#remembered.size <= REMEMBERED_MOST) return
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest)
      return
    }
  }
}

function judged(known: readonly (Known | undefined)[], carried: readonly string[], n0: number): Judgement {
  const stamps = known.map((each) => each?.stamp)
  const asOf = Math.min(...known.map((each) => each?.asOf ?? Number.NEGATIVE_INFINITY))
  return { verdict: judgeStamps(carried, n0, stamps), asOf }
}
