import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { localId } from '../entry/key.ts'
import type { Acquired, Ending, Lease, Leases, Waiter } from './lease.ts'
import { Waiting } from './waiting.ts'

/**
 * What stands under a key: a lease that is held; one past its deadline, which is free again before it ends; or what its
 * last holder left for those who come a moment later.
 */
type Held =
  | { readonly word: 'held'; readonly token: string; readonly until: number }
  | {
      readonly word: 'late'
      readonly token: string
      readonly failure: Acquired
      readonly freeAt: number
      readonly until: number
    }
  | { readonly word: 'left'; readonly acquired: Acquired; readonly until: number }

/** How long newcomers are told what the last holder left. */
const SKIPPED_MS = 1000
const FAILED_MS = 500

/** Leases without Redis. Caches that share one stand for several processes. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #waiting: Waiting
  readonly #held = new Map<string, Held>()
  #tokens = 0

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#waiting = new Waiting(clock)
  }

  wait(address: Address): Waiter {
    return this.#waiting.take(address)
  }

  async acquire(address: Address, _seen: Buffer | string | undefined, hasWaited: boolean): Promise<Acquired> {
    const id = localId(address.namespace, address.key)
    const held = this.#standing(id)
    if (held?.word === 'left' && (hasWaited || held.acquired.word !== 'failed')) return held.acquired
    const now = this.#clock.now()
    if (held?.word === 'held') return { word: 'busy', leftMs: held.until - now }
    if (held?.word === 'late' && now < held.freeAt) {
      return hasWaited ? held.failure : { word: 'late', leftMs: held.freeAt - now }
    }
    const token = String(++this.#tokens)
    this.#held.set(id, { word: 'held', token, until: now + this.#leaseMs })
    return { word: 'granted', lease: { address, token, n0: '0' } }
  }

  async renew(lease: Lease): Promise<boolean> {
    const id = localId(lease.address.namespace, lease.address.key)
    if (this.#held.get(id)?.word !== 'held' || !this.#isHolder(id, lease)) return false
    this.#held.set(id, { word: 'held', token: lease.token, until: this.#clock.now() + this.#leaseMs })
    return true
  }

  async release(lease: Lease, ending: Ending): Promise<void> {
    const id = localId(lease.address.namespace, lease.address.key)
    if (!this.#isHolder(id, lease)) return
    this.#held.delete(id)
    if (ending.word === 'skipped') this.#leave(id, { word: 'skip' }, SKIPPED_MS)
    if (ending.word === 'failed') this.#leave(id, ending, FAILED_MS)
    if (ending.word === 'late') this.#beLate(id, lease, ending)
    this.call(lease.address)
  }

  /** Ends the lease of a holder that has stored its value. */
  settle(lease: Lease): boolean {
    const id = localId(lease.address.namespace, lease.address.key)
    if (!this.#isHolder(id, lease)) return false
    this.#held.delete(id)
    this.call(lease.address)
    return true
  }

  /** Takes a key's lease away from whoever holds it: what they load now may be older than what just happened. */
  revoke(address: Address): void {
    this.#held.delete(localId(address.namespace, address.key))
    this.call(address)
  }

  call(address: Address): void {
    this.#waiting.call(address)
  }

  #beLate(id: string, { token }: Lease, { code, message, keptMs }: Extract<Ending, { word: 'late' }>): void {
    const freeAt = this.#clock.now() + this.#leaseMs
    const until = freeAt + keptMs
    this.#held.set(id, { word: 'late', token, failure: { word: 'failed', code, message }, freeAt, until })
    this.#clock.inBackground(until - this.#clock.now(), () => this.#standing(id))
  }

  #leave(id: string, acquired: Acquired, ms: number): void {
    this.#held.set(id, { word: 'left', acquired, until: this.#clock.now() + ms })
    this.#clock.inBackground(ms, () => this.#standing(id))
  }

  #isHolder(id: string, lease: Lease): boolean {
    const held = this.#standing(id)
    return (held?.word === 'held' || held?.word === 'late') && held.token === lease.token
  }

  #standing(id: string): Held | undefined {
    const held = this.#held.get(id)
    if (held === undefined || this.#clock.now() < held.until) return held
    this.#held.delete(id)
    return undefined
  }
}
