import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { bucketOf } from '../entry/key.ts'
import { keySubject, wakeUp } from '../entry/notice.ts'
import type { RedisClient } from '../redis/client.ts'
import { acquire, release, renew } from '../redis/scripts.ts'
import type { Acquired, Ending, Lease, Leases, Waiter } from './lease.ts'
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

/** Leases in Redis: one key per lease, whose TTL is the lease. The notices of the bus call those who wait. */
export class RedisLeases implements Leases {
  readonly #client: RedisClient
  readonly #settings: RedisLeasesSettings
  readonly #clock: Clock
  readonly #waiting: Waiting

  constructor(client: RedisClient, settings: RedisLeasesSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.#waiting = new Waiting(clock)
  }

  wait(address: Address): Waiter {
    return this.#waiting.take(address)
  }

  async acquire(address: Address, seen: Buffer | string | undefined, hasWaited: boolean): Promise<Acquired> {
    const { leaseMs } = this.#settings
    const bucket = this.#client.of(address)
    const token = this.#clock.nonce(16)
    const reply = await acquire(bucket, bucket.names.ofEntry(address), { token, leaseMs, seen: seen ?? '', hasWaited })
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

function failureText({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code.replaceAll('|', '').slice(0, MESSAGE_LENGTH_MOST)}|${message.slice(0, MESSAGE_LENGTH_MOST)}`
}
