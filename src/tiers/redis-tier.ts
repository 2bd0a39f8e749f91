import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Encoded } from '../entry/codec.ts'
import { decode } from '../entry/codec.ts'
import type { Address, Entry } from '../entry/entry.ts'
import type { Envelope } from '../entry/envelope.ts'
import type { Fence } from '../entry/fence.ts'
import type { HeaderRead } from '../entry/header.ts'
import { readHeader, writeHead, writeTail } from '../entry/header.ts'
import { chainField, namespaceGroup, namespacesAbove, tagGroup } from '../entry/key.ts'
import { keySubject, noticeBody, wakeUp } from '../entry/notice.ts'
import { judgeStamps, readStamp } from '../entry/stamp.ts'
import type { Stamp } from '../entry/stamp.ts'
import { TierCacheError } from '../errors.ts'
import type { FarHealth } from '../events.ts'
import type { BatchedReads } from '../redis/batched-reads.ts'
import type { Bucket } from '../redis/bucket.ts'
import type { RedisClient } from '../redis/client.ts'
import type { Values } from '../redis/mget.ts'
import { commit, discard, expire, increment, invalidate, set, touch } from '../redis/scripts.ts'
import { scanKeys } from './redis-keys.ts'
import { sightOf } from './redis-sight.ts'
import type { Candidate, CommitOutcome, Found, IncrementOutcome, Seen, SetOutcome, Sight, Tier } from './tier.ts'

export interface RedisTierSettings {
  /** This process, in notices. */
  readonly origin: string
  readonly commandTimeoutMs: number
}

/** Told of bytes under a key of ours that could not be read. */
export type UndecodableListener = (address: Address, error: unknown) => void

/** Redis refuses a TTL that ends beyond its last instant; what lives so long has no end. */
const LIFE_MOST_MS = Number.MAX_SAFE_INTEGER

const NO_STAMPS: readonly string[] = []

/**
 * L2 on Redis. A read brings the clear stamps of its namespaces along; every change is one script, which moves the
 * truth and publishes the notice.
 */
export class RedisTier implements Tier {
  readonly #client: RedisClient
  readonly #settings: RedisTierSettings
  readonly #clock: Clock
  readonly #undecodable: UndecodableListener
  readonly #reads: BatchedReads
  readonly #envelope: Envelope
  #lastStamps: { readonly bytes: Values; readonly stamps: readonly (Stamp | undefined)[] } | undefined

  constructor(
    client: RedisClient,
    reads: BatchedReads,
    envelope: Envelope,
    settings: RedisTierSettings,
    clock: Clock,
    undecodable: UndecodableListener,
  ) {
    this.#client = client
    this.#reads = reads
    this.#envelope = envelope
    this.#settings = settings
    this.#clock = clock
    this.#undecodable = undecodable
  }

  get usable(): boolean {
    return this.#client.usable
  }

  reaches(bucket: number): boolean {
    return this.#client.buckets[bucket]?.usable === true
  }

  get passedOver(): boolean {
    return this.#client.passedOver
  }

  health(): FarHealth {
    return this.#client.health()
  }

  get(address: Address, schemaVersion?: string): Promise<Found> {
    const bucket = this.#client.of(address)
    const { names } = bucket
    const above = names.clearStamps(address.namespace)
    return new Promise((resolve, reject) => {
      this.#reads.read(bucket, {
        key: names.entry(address),
        common: above,
        done: (bytes, stamps, sentAt) => resolve(this.#judge(address, schemaVersion, bucket, bytes, stamps, sentAt)),
        failed: reject,
      })
    })
  }

  #judge(
    address: Address,
    schemaVersion: string | undefined,
    bucket: Bucket,
    bytes: Buffer | null,
    stamps: Values,
    sentAt: number,
  ): Found | Promise<Found> {
    if (!bytes) return { word: 'missing' }
    try {
      const header = readHeader(bytes, stamps.length)
      const seen = header.fillStamp
      if (judgeStamps(header.stamps, header.n0, this.#stampsOf(stamps)) !== 'holds') return { word: 'void', seen }
      const offset = bucket.offsetMs
      if (offset === undefined) return { word: 'missing' }
      const tagStamps = header.tags.length === 0 ? NO_STAMPS : header.stamps.slice(stamps.length)
      const opened = this.#envelope.open(header, address, schemaVersion)
      if (opened === header) return foundEntry(header, header, header.payload.length, tagStamps, sentAt, offset)
      return this.#found(address, header, opened, bytes, tagStamps, sentAt, offset)
    } catch (error) {
      return this.#unreadable(address, bytes, error)
    }
  }

  /** What becomes of what was in an envelope. */
  #found(
    address: Address,
    header: HeaderRead,
    opened: ReturnType<Envelope['open']>,
    bytes: Buffer,
    tagStamps: readonly string[],
    sentAt: number,
    offset: number,
  ): Found | Promise<Found> {
    const { fillStamp: seen, tags, n0 } = header
    if (typeof opened === 'string') return { word: 'incompatible', reason: opened, seen, sentAt, tags, tagStamps, n0 }
    const found = (encoded: Encoded) => {
      const size = encoded.payload.length
      return foundEntry(header, encoded, size, tagStamps, sentAt, offset)
    }
    if (!(opened instanceof Promise)) return found(opened)
    return opened.then(found).catch((error: unknown) => this.#unreadable(address, bytes, error))
  }

  #unreadable(address: Address, bytes: Buffer, error: unknown): Found {
    this.#undecodable(address, error)
    return { word: 'void', seen: createHash('sha1').update(bytes).digest('hex') }
  }

  /** Entries of one batch and namespace come with the very same list: it is read once. */
  #stampsOf(bytes: Values): readonly (Stamp | undefined)[] {
    if (this.#lastStamps?.bytes !== bytes) this.#lastStamps = { bytes, stamps: bytes.map(readStamp) }
    return this.#lastStamps.stamps
  }

  async set(candidate: Candidate): Promise<SetOutcome> {
    const { origin, commandTimeoutMs } = this.#settings
    const bucket = this.#client.of(candidate.address)
    const offset = bucket.offsetMs ?? (await offsetOf(bucket, 'set'))
    const subject = keySubject(candidate.address)
    const sealed = this.#seal(candidate)
    const reply = await set(bucket, {
      ...this.#bytes(bucket, candidate, sealed instanceof Promise ? await sealed : sealed, offset),
      tip: this.#clock.nonce(8),
      storedBody: noticeBody('S', origin, subject),
      failedBody: noticeBody('D', origin, subject),
      deadlineMs: this.#clock.now() + offset + commandTimeoutMs,
      version: candidate.version,
    })
    return reply.word
  }

  async commit(candidate: Candidate, fence: Fence): Promise<CommitOutcome> {
    const { origin } = this.#settings
    const subject = keySubject(candidate.address)
    const bucket = this.#client.of(candidate.address)
    const sealed = this.#seal(candidate)
    const encoded = sealed instanceof Promise ? await sealed : sealed
    return commit(bucket, {
      ...this.#bytes(bucket, candidate, encoded, bucket.offsetMs ?? (await offsetOf(bucket, 'commit'))),
      token: fence.token,
      filledNotice: wakeUp('F', origin, subject),
      refusedNotice: wakeUp('R', origin, subject),
      nonce: this.#clock.nonce(8),
    })
  }

  async delete(address: Address): Promise<void> {
    const body = noticeBody('D', this.#settings.origin, keySubject(address))
    const bucket = this.#client.of(address)
    await invalidate(bucket, bucket.names.ofEntry(address), this.#clock.nonce(8), body)
  }

  async expire(address: Address): Promise<void> {
    const body = noticeBody('E', this.#settings.origin, keySubject(address))
    const bucket = this.#client.of(address)
    await expire(bucket, bucket.names.ofEntry(address), this.#clock.nonce(8), body)
  }

  async touch(address: Address, tags: readonly string[], ttlMs: number): Promise<boolean> {
    const bucket = this.#client.of(address)
    return touch(bucket, bucket.names.ofEntry(address), stampKeys(bucket, address, tags), {
      tip: this.#clock.nonce(8),
      body: noticeBody('E', this.#settings.origin, keySubject(address)),
      ttlMs,
    })
  }

  async increment(candidate: Candidate, by: number): Promise<IncrementOutcome> {
    const { origin, commandTimeoutMs } = this.#settings
    const bucket = this.#client.of(candidate.address)
    const offset = bucket.offsetMs ?? (await offsetOf(bucket, 'increment'))
    const { tail: _, ...bytes } = this.#bytes(bucket, candidate, candidate, offset)
    return increment(bucket, {
      ...bytes,
      tip: this.#clock.nonce(8),
      body: noticeBody('S', origin, keySubject(candidate.address)),
      deadlineMs: this.#clock.now() + offset + commandTimeoutMs,
      by,
    })
  }

  async discard(address: Address, seen: Seen): Promise<void> {
    const bucket = this.#client.of(address)
    await discard(bucket, bucket.names.entry(address), seen)
  }

  async inspect(address: Address, schemaVersion: string | undefined): Promise<Sight> {
    const bucket = this.#client.of(address)
    const offset = bucket.offsetMs ?? (await offsetOf(bucket, 'inspect'))
    return sightOf(bucket, this.#envelope, address, schemaVersion, offset)
  }

  keys(namespace: string, prefix: string): AsyncIterable<readonly string[]> {
    return scanKeys(this.#client, namespace, prefix)
  }

  #seal(candidate: Candidate): Encoded | Promise<Encoded> {
    return this.#envelope.seal(candidate, candidate.address, candidate.schemaVersion)
  }

  /** What is common to all ways of storing: names, and bytes with their deadlines in server time. */
  #bytes(bucket: Bucket, candidate: Candidate, { flags, payload }: Encoded, offset: number) {
    const { address, version, loadMs, tags } = candidate
    const left = candidate.staleUntil - this.#clock.now()
    return {
      names: bucket.names.ofEntry(address),
      stampKeys: stampKeys(bucket, address, tags),
      stampFields: [...namespacesAbove(address.namespace).map(namespaceGroup), ...tags.map(tagGroup)].map(chainField),
      head: writeHead({
        flags,
        fillStamp: Buffer.from(this.#clock.nonce(8), 'hex'),
        createdAt: candidate.createdAt + offset,
        freshUntil: candidate.freshUntil + offset,
        staleUntil: candidate.staleUntil + offset,
        version,
        loadMs,
      }),
      tail: writeTail(tags, payload),
      lifeMs: left > LIFE_MOST_MS ? 0 : Math.max(1, Math.ceil(left)),
    }
  }
}

/** `bytes`: what it takes, as L1 counts it. */
function foundEntry(
  header: HeaderRead,
  encoded: Encoded,
  bytes: number,
  tagStamps: readonly string[],
  sentAt: number,
  offset: number,
): Found {
  const { fillStamp: seen, tags, n0 } = header
  const entry: Entry = {
    value: decode(encoded),
    createdAt: header.createdAt - offset,
    freshUntil: header.freshUntil - offset,
    staleUntil: header.staleUntil - offset,
    tags,
    loadMs: header.loadMs,
  }
  return { word: 'entry', entry, bytes, seen, sentAt, tags, tagStamps, n0 }
}

function stampKeys({ names }: Bucket, address: Address, tags: readonly string[]): readonly string[] {
  return [...names.clearStamps(address.namespace), ...tags.map((tag) => names.tagStamp(tag))]
}

async function offsetOf(bucket: Bucket, command: string): Promise<number> {
  await bucket.firstAttempt()
  const offset = bucket.offsetMs
  if (offset !== undefined) return offset
  const server = bucket.server?.name ?? 'the server of this key'
  const reason = bucket.usable ? `the time of ${server} is not known` : `${server} is not available`
  throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: ${reason}`)
}
