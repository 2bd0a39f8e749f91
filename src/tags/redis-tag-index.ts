import type { Clock } from '../clock.ts'
import type { Currency } from '../entry/currency.ts'
import { bucketGroup, chainField, namespaceGroup, tagGroup } from '../entry/key.ts'
import { noticeBody } from '../entry/notice.ts'
import type { Stamp } from '../entry/stamp.ts'
import { judgeStamps, readStamp } from '../entry/stamp.ts'
import { TierCacheError } from '../errors.ts'
import type { BatchedReads } from '../redis/batched-reads.ts'
import type { Bucket } from '../redis/bucket.ts'
import type { RedisClient } from '../redis/client.ts'
import { expireTag, invalidateGroup } from '../redis/scripts.ts'
import type { Marks } from './marks.ts'
import type { Judgement, TagIndex } from './tag-index.ts'
import { UnacknowledgedIn } from './tag-index.ts'

export interface RedisTagIndexSettings {
  /** This process, in notices. */
  readonly origin: string
  readonly maxStalenessMs: number
}

/** What a stamp's memory is measured by: the marks of its group, and how far its bucket was heard. */
export interface Hearing {
  readonly marks: Marks
  of(bucket: number): Currency
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

/** Nothing that others read too. */
const NONE: readonly string[] = []

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
  readonly #hearing: Hearing
  /** By bucket and tag. */
  readonly #remembered = new Map<string, Remembered>()

  constructor(
    client: RedisClient,
    reads: BatchedReads,
    settings: RedisTagIndexSettings,
    clock: Clock,
    hearing: Hearing,
  ) {
    this.#client = client
    this.#reads = reads
    this.#settings = settings
    this.#clock = clock
    this.#hearing = hearing
  }

  async clear(namespace: string, buckets?: readonly number[]): Promise<void> {
    const group = namespaceGroup(namespace)
    const body = noticeBody('X', this.#settings.origin, namespace)
    await this.#inEach(buckets, (bucket) => this.#invalidate(bucket, bucket.names.clearStamp(namespace), group, body))
  }

  async invalidate(tag: string, buckets?: readonly number[]): Promise<void> {
    const body = noticeBody('T', this.#settings.origin, tag)
    await this.#inEach(buckets, (bucket) => this.#invalidate(bucket, bucket.names.tagStamp(tag), tagGroup(tag), body))
  }

  #invalidate(bucket: Bucket, stamp: string, group: string, body: string): Promise<void> {
    const { chain } = bucket.names
    const tip = this.#clock.nonce(8)
    return invalidateGroup(bucket, { stamp, chain }, { tip, body, field: chainField(group), lifeMs: UNUSED_STAMP_MS })
  }

  async expire(tag: string): Promise<void> {
    const body = noticeBody('U', this.#settings.origin, tag)
    const field = chainField(tagGroup(tag))
    await this.#inEach(undefined, (bucket) => {
      const { names } = bucket
      const stamp = { stamp: names.tagStamp(tag), chain: names.chain }
      return expireTag(bucket, stamp, { tip: this.#clock.nonce(8), body, field, lifeMs: UNUSED_STAMP_MS })
    })
  }

  /** Entries of a group are in any bucket. All are tried, and it is acknowledged when all of them have. */
  async #inEach(numbers: readonly number[] | undefined, change: (bucket: Bucket) => Promise<void>): Promise<void> {
    const { buckets } = this.#client
    const meant = numbers?.flatMap((number) => buckets[number] ?? []) ?? buckets
    const outcomes = await Promise.allSettled(meant.map(change))
    const failed = outcomes.flatMap((outcome, at) =>
      outcome.status === 'rejected' ? [{ reason: outcome.reason as unknown, bucket: (meant[at] as Bucket).index }] : [],
    )
    const [first] = failed
    if (!first) return
    if (!(first.reason instanceof TierCacheError)) throw first.reason
    throw new UnacknowledgedIn(
      first.reason,
      failed.map(({ bucket }) => bucket),
    )
  }

  async judge(index: number, tags: readonly string[], carried: readonly string[], n0: number): Promise<Judgement> {
    const bucket = this.#client.buckets[index] as Bucket
    const remembered = judged(
      tags.map((tag) => this.#recall(bucket, tag)),
      carried,
      n0,
    )
    // A stamp that was evicted is made anew without a notice: memory never says that an entry is void.
    return remembered.verdict === 'void' ? judged(await this.#read(bucket, tags), carried, n0) : remembered
  }

  #recall(bucket: Bucket, tag: string): Known | undefined {
    const name = bucket.names.tagStamp(tag)
    const remembered = this.#remembered.get(name)
    if (!remembered) return undefined
    const { marks } = this.#hearing
    const { verifiedAt, behindAt } = this.#hearing.of(bucket.index)
    const knownAt = Math.max(remembered.asOf, verifiedAt)
    const groups = [tagGroup(tag), bucketGroup(bucket.index)]
    const now = this.#clock.now()
    const isCurrent =
      now - knownAt <= this.#settings.maxStalenessMs &&
      knownAt >= behindAt &&
      now - remembered.asOf <= REREAD_MS &&
      !marks.movedSince(groups, remembered.mark) &&
      !marks.movedSoftlySince(groups, remembered.mark)
    if (!isCurrent) this.#remembered.delete(name)
    return isCurrent ? { stamp: remembered.stamp, asOf: knownAt } : undefined
  }

  #read(bucket: Bucket, tags: readonly string[]): Promise<Known[]> {
    // Noted before the read goes out: a move that is heard meanwhile makes what was read void.
    const mark = this.#hearing.marks.count
    return Promise.all(tags.map((tag) => this.#readOne(bucket, bucket.names.tagStamp(tag), mark)))
  }

  #readOne(bucket: Bucket, key: string, mark: number): Promise<Known> {
    return new Promise((resolve, reject) => {
      this.#reads.read(bucket, {
        key,
        common: NONE,
        done: (value, _, asOf) => {
          const stamp = readStamp(value)
          if (stamp) this.#remember(key, { stamp, mark, asOf })
          resolve({ stamp, asOf })
        },
        failed: reject,
      })
    })
  }

  #remember(name: string, remembered: Remembered): void {
    this.#remembered.delete(name)
    this.#remembered.set(name, remembered)
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
