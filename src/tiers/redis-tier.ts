import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { decode } from '../entry/codec.ts'
import type { Address, Entry } from '../entry/entry.ts'
import type { Fence } from '../entry/fence.ts'
import { readHeader, writeHead, writeTail } from '../entry/header.ts'
import type { RedisNames } from '../entry/key.ts'
import { chainField, namespacesAbove } from '../entry/key.ts'
import { keySubject, noticeBody, wakeUp } from '../entry/notice.ts'
import type { Stamp } from '../entry/stamp.ts'
import { readStamp, stampsHold } from '../entry/stamp.ts'
import { TierCacheError } from '../errors.ts'
import type { RedisClient } from '../redis/client.ts'
import { commit, discard, invalidate, set } from '../redis/scripts.ts'
import type { Candidate, CommitOutcome, Found, Seen, SetOutcome, Tier } from './tier.ts'

export interface RedisTierSettings {
  readonly names: RedisNames
  /** This process, in notices. */
  readonly origin: string
  readonly commandTimeoutMs: number
}

/** Told of bytes under a key of ours that could not be read. */
export type UndecodableListener = (address: Address, error: unknown) => void

/** The most keys of one MGET. */
const BATCH_MOST = 256

/** Redis refuses a TTL that ends beyond its last instant; what lives so long has no end. */
const LIFE_MOST_MS = Number.MAX_SAFE_INTEGER

interface PendingRead {
  readonly address: Address
  readonly resolve: (found: Found) => void
  readonly reject: (error: unknown) => void
}

/**
 * L2 on Redis. Reads that are asked for in one tick leave as one MGET, which also brings the clear stamps of their
 * namespaces; every change is one script, which moves the truth and publishes the notice.
 */
export class RedisTier implements Tier {
  readonly #client: RedisClient
  readonly #settings: RedisTierSettings
  readonly #clock: Clock
  readonly #undecodable: UndecodableListener
  #pending: PendingRead[] = []

  constructor(client: RedisClient, settings: RedisTierSettings, clock: Clock, undecodable: UndecodableListener) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.#undecodable = undecodable
  }

  get usable(): boolean {
    return this.#client.usable
  }

  get(address: Address): Promise<Found> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ address, resolve, reject })
      // A tick queued from a microtask runs when all microtasks are through: readers that go on together meet again.
      if (this.#pending.length === 1) process.nextTick(() => this.#flush())
    })
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = []
    for (let start = 0; start < pending.length; start += BATCH_MOST) {
      this.#readBatch(pending.length <= BATCH_MOST ? pending : pending.slice(start, start + BATCH_MOST))
    }
  }

  #readBatch(reads: readonly PendingRead[]): void {
    const keys = new Keys()
    const { names } = this.#settings
    const places = reads.map(({ address }) => ({
      entry: keys.place(names.entry(address)),
      stamps: namespacesAbove(address.namespace).map((namespace) => keys.place(names.clearStamp(namespace))),
    }))
    const sentAt = this.#clock.now()
    this.#client
      .run<(Buffer | null)[]>('MGET', (redis) => redis.callBuffer('MGET', ...keys.list))
      .then(
        (values) => {
          reads.forEach((read, index) => {
            const { entry, stamps } = places[index] as (typeof places)[number]
            read.resolve(
              this.#judge(
                read.address,
                values[entry],
                stamps.map((place) => readStamp(values[place])),
                sentAt,
              ),
            )
          })
        },
        (error: unknown) => {
          for (const read of reads) read.reject(error)
        },
      )
  }

  #judge(address: Address, bytes: Buffer | null | undefined, current: (Stamp | undefined)[], sentAt: number): Found {
    if (!bytes) return { word: 'missing' }
    try {
      const header = readHeader(bytes, current.length)
      const seen = Buffer.from(header.fillStamp)
      if (!stampsHold(header.stamps, current)) return { word: 'void', seen }
      const offset = this.#client.offsetMs
      if (offset === undefined) return { word: 'missing' }
      const entry: Entry = {
        value: decode(header),
        createdAt: header.createdAt - offset,
        freshUntil: header.freshUntil - offset,
        staleUntil: header.staleUntil - offset,
        tags: header.tags,
      }
      return { word: 'entry', entry, bytes: bytes.length, seen, sentAt }
    } catch (error) {
      this.#undecodable(address, error)
      return { word: 'void', seen: createHash('sha1').update(bytes).digest('hex') }
    }
  }

  async set(candidate: Candidate): Promise<SetOutcome> {
    const { origin, commandTimeoutMs } = this.#settings
    const offset = await this.#offset('set')
    const subject = keySubject(candidate.address)
    const reply = await set(this.#client, {
      ...this.#bytes(candidate, offset),
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
    return commit(this.#client, {
      ...this.#bytes(candidate, await this.#offset('commit')),
      stampFields: namespacesAbove(candidate.address.namespace).map((namespace) => chainField(`k:${namespace}`)),
      token: fence.token,
      filledNotice: wakeUp('F', origin, subject),
      refusedNotice: wakeUp('R', origin, subject),
      nonce: this.#clock.nonce(8),
    })
  }

  async delete(address: Address): Promise<void> {
    const body = noticeBody('D', this.#settings.origin, keySubject(address))
    await invalidate(this.#client, this.#settings.names.ofEntry(address), this.#clock.nonce(8), body)
  }

  async discard(address: Address, seen: Seen): Promise<void> {
    await discard(this.#client, this.#settings.names.entry(address), seen)
  }

  /** What is common to both ways of storing: names, and bytes with their deadlines in server time. */
  #bytes(candidate: Candidate, offset: number) {
    const { names } = this.#settings
    const { address, flags, payload, version, loadMs, tags } = candidate
    const left = candidate.staleUntil - this.#clock.now()
    return {
      names: names.ofEntry(address),
      stampKeys: namespacesAbove(address.namespace).map((namespace) => names.clearStamp(namespace)),
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

  async #offset(command: string): Promise<number> {
    await this.#client.firstAttempt()
    const offset = this.#client.offsetMs
    if (offset !== undefined) return offset
    throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: the server's time is not known`)
  }
}

/** The keys of one MGET, each once. */
class Keys {
  readonly list: string[] = []
  readonly #places = new Map<string, number>()

  place(key: string): number {
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.list.push(key) - 1
      this.#places.set(key, place)
    }
    return place
  }
}
