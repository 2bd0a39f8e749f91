import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { bucketOf } from '../entry/key.ts'
import { keySubject, wakeUp } from '../entry/notice.ts'
import type { RedisClient } from '../redis/client.ts'
import { acquire, release, renew } from '../redis/scripts.ts'
import { inOneWrite } from '../redis/one-write.ts'
import type { Acquired, Ending, Lease, LeaseSight, Leases, Waiter } from './lease.ts'
import { Waiting } from './waiting.ts'

export interface RedisLeasesSettings {
  /** This process, in notices. */
  readonly origin: string
  readonly leaseMs: number
}

/** How long newcomers are told what the last holder left. */
const SKIPPED_MS = 1000
const FAILED_MS = 500
const MESSAGE_LENGTH_MOST = 200

/** Hexadecimal digits of the name of a process. */
const ORIGIN_LENGTH = 16

/** Leases in Redis: one key per lease, whose TTL is the lease. The notices of the bus call those who wait. */
export class RedisLeases implements Leases {
  readonly #client: RedisClient
  readonly #settings: RedisLeasesSettings
  readonly #clock: Clock
  readonly #waiting: Waiting
  /** What the tokens of this process end with: its name. */
  readonly #ending: string

  constructor(client: RedisClient, settings: RedisLeasesSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.#waiting = new Waiting(clock)
    // Scripts know a token by its hexadecimal digits.
    this.#ending = /^[0-9a-f]{16}$/.test(settings.origin) ? settings.origin : clock.nonce(8)
  }

  wait(address: Address): Waiter {
    return this.#waiting.take(address)
  }

  async acquire(
    address: Address,
    seen: Buffer | string | undefined,
    hasWaited: boolean,
    renews = false,
  ): Promise<Acquired> {
    const { leaseMs } = this.#settings
    const bucket = this.#client.of(address)
    const token = this.#clock.nonce(8) + this.#ending
    const call = { token, leaseMs, seen: seen ?? '', hasWaited, renews }
    const reply = await acquire(bucket, bucket.names.ofEntry(address), call)
    return reply.word === 'granted' ? { word: 'granted', lease: { address, token, n0: reply.n0 } } : reply
  }

  renew(lease: Lease): Promise<boolean> {
    const bucket = this.#client.of(lease.address)
    return renew(bucket, bucket.names.ofEntry(lease.address), lease.token, this.#settings.leaseMs)
  }

  async release(lease: Lease, ending: Ending): Promise<void> {
    const { origin } = this.#settings
    const bucket = this.#client.of(lease.address)
    await release(bucket, bucket.names.ofEntry(lease.address), {
      token: lease.token,
      notice: wakeUp('R', origin, keySubject(lease.address)),
      ...this.#mark(lease, ending),
    })
  }

  async inspect(address: Address): Promise<LeaseSight | undefined> {
    const bucket = this.#client.of(address)
    const name = bucket.names.lease(address)
    const [text, leftMs] = await bucket.run<[unknown, unknown]>('PTTL', (redis) =>
      inOneWrite(redis, () => Promise.all([redis.call('GET', name), redis.call('PTTL', name)])),
    )
    return typeof text === 'string' ? readLease(text, Number(leftMs)) : undefined
  }

  call(address: Address): void {
    this.#waiting.call(address)
  }

  callAll(buckets: readonly number[]): void {
    this.#waiting.callAll((id) => buckets.includes(bucketOf(id, this.#client.buckets.length)))
  }

  /** What stands in place of the lease for a while after a load that stored nothing. */
  #mark(lease: Lease, ending: Ending): { mark: string; markMs: number } {
    switch (ending.word) {
      case 'refused':
        return { mark: '', markMs: 0 }
      case 'skipped':
        return { mark: 'skip', markMs: SKIPPED_MS }
      case 'failed':
        return { mark: `failed|${failureText(ending)}`, markMs: FAILED_MS }
      case 'late': {
        const keptMs = Math.ceil(ending.keptMs)
        const mark = `late|${lease.token}|${lease.n0}|${keptMs}|${failureText(ending)}`
        return { mark, markMs: this.#settings.leaseMs + keptMs }
      }
      case 'deserted': {
        // Late for as long as it is kept: it is free at once.
        const keptMs = Math.ceil(ending.keptMs)
        return { mark: `late|${lease.token}|${lease.n0}|${keptMs}||`, markMs: keptMs }
      }
    }
  }
}

/** What the text of a lease says that ends in so long; see `redis/lua/acquire-3.lua`. */
function readLease(text: string, leftMs: number): LeaseSight | undefined {
  if (leftMs <= 0) return undefined
  if (text === 'skip') return { word: 'skipped', leftMs }
  const [, code, message] = /^failed\|([^|]*)\|(.*)$/s.exec(text) ?? []
  if (code !== undefined) return { word: 'failed', leftMs, failure: `${code}: ${message}` }
  const [, lateToken, keptMs, why] = /^late\|([0-9a-f]+)\|\d+\|(\d+)\|(.*)$/s.exec(text) ?? []
  if (lateToken !== undefined) {
    // Without words it was left by all who waited for it.
    const failure = why === '|' ? undefined : why?.replace('|', ': ')
    return { word: 'late', leftMs: Math.max(0, leftMs - Number(keptMs)), holder: holderOf(lateToken), failure }
  }
  const [, token, marks] = /^([0-9a-f]+)\|\d+~?(!*)$/.exec(text) ?? []
  if (token === undefined) return undefined
  return { word: 'held', leftMs, holder: holderOf(token), isAwaited: marks !== '' }
}

/** A token ends with the name of its process, so that people can be told who holds a lease. */
function holderOf(token: string): string | undefined {
  return token.length === 2 * ORIGIN_LENGTH ? token.slice(ORIGIN_LENGTH) : undefined
}

function failureText({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code.replaceAll('|', '').slice(0, MESSAGE_LENGTH_MOST)}|${message.slice(0, MESSAGE_LENGTH_MOST)}`
}
