import type { Clock } from '../clock.ts'
import type { Address } from '../entry/entry.ts'
import { localId } from '../entry/key.ts'
import type { Acquired, Ending, Lease, LeaseSight, Leases, Waiter } from './lease.ts'
import { Waiting } from './waiting.ts'

/**
 * What stands under a key: a lease that is held; one past its deadline, which is free again before it ends; or what its
 * last holder left for those who come a moment later.
 */
type Standing =
  | {
      readonly word: 'held'
      readonly token: string
      readonly holder: string | undefined
      readonly n0: number
      readonly until: number
      readonly isAwaited: boolean
      /** It was granted a moment after a load that was not to be stored: nobody waits for it. */
      readonly isApart: boolean
    }
  | {
      readonly word: 'late'
      readonly token: string
      readonly holder: string | undefined
      readonly n0: number
      readonly failure: Failure
      readonly freeAt: number
      readonly until: number
      /** Newcomers wait for what is late, and leave no mark. */
      readonly isAwaited: true
    }
  | { readonly word: 'left'; readonly failure: Failure | undefined; readonly until: number }

type Failure = Extract<Acquired, { word: 'failed' }>

type Held = Exclude<Standing, { readonly word: 'left' }>

/** What is looked at before a lease is granted. */
export interface LeaseGround {
  /** The number of the chain's last link. */
  n(): number
  /** Whether an entry is there which is not the one that was seen. */
  hasOther(address: Address, seen: Buffer | string | undefined): boolean
}

/** How a lease ended: what it was granted at, and whether somebody waits for its end. */
export interface Settled {
  readonly n0: number
  readonly isAwaited: boolean
}

/** How long newcomers are told what the last holder left. */
const SKIPPED_MS = 1000
const FAILED_MS = 500

/** The leases of one fleet. */
export class MemoryLeaseTable {
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #ground: LeaseGround
  readonly #standings = new Map<string, Standing>()
  #tokens = 0

  constructor(clock: Clock, leaseMs: number, ground: LeaseGround) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#ground = ground
  }

  /** `holder`: who asks, by its name in notices, for people. */
  acquire(
    address: Address,
    seen: Buffer | string | undefined,
    hasWaited: boolean,
    renews: boolean,
    holder?: string,
  ): Acquired {
    if (this.#ground.hasOther(address, seen)) return { word: 'found' }
    const id = idOf(address)
    const standing = this.#standing(id)
    if (standing?.word === 'left' && standing.failure && hasWaited) return standing.failure
    const isSkipped = standing?.word === 'left' && !standing.failure
    if (isSkipped && renews) return { word: 'skip' }
    const now = this.#clock.now()
    if (standing?.word === 'held') {
      if (standing.isApart) return { word: 'skip' }
      this.#standings.set(id, { ...standing, isAwaited: true })
      return { word: 'busy', leftMs: standing.until - now }
    }
    if (standing?.word === 'late' && now < standing.freeAt) {
      return hasWaited ? standing.failure : { word: 'late', leftMs: standing.freeAt - now }
    }
    const token = (++this.#tokens).toString(16)
    const n0 = this.#ground.n()
    const until = now + this.#leaseMs
    this.#standings.set(id, { word: 'held', token, holder, n0, until, isAwaited: false, isApart: isSkipped })
    return { word: 'granted', lease: { address, token, n0: String(n0) } }
  }

  renew(lease: Lease): boolean {
    const held = this.#heldBy(lease.address, lease.token)
    if (held?.word !== 'held') return false
    this.#standings.set(idOf(lease.address), { ...held, until: this.#clock.now() + this.#leaseMs })
    return true
  }

  /** Ends a lease without a value, or lets it be late; `undefined` when it is not the holder's any more. */
  release({ address, token }: Lease, ending: Ending): Settled | undefined {
    const settled = this.#end(address, token)
    if (!settled) return undefined
    const id = idOf(address)
    if (ending.word === 'skipped') this.#leave(id, undefined, SKIPPED_MS)
    if (ending.word === 'failed') this.#leave(id, ending, FAILED_MS)
    if (ending.word === 'late') this.#beLate(id, settled, this.#leaseMs, ending)
    if (ending.word === 'deserted') this.#beLate(id, settled, 0, { ...ending, code: '', message: '' })
    return settled
  }

  /** Ends the lease of a holder that stores its value; `undefined` when it is not the holder's any more. */
  settle(address: Address, token: string): Settled | undefined {
    return this.#end(address, token)
  }

  inspect(address: Address): LeaseSight | undefined {
    const standing = this.#standing(idOf(address))
    if (!standing) return undefined
    const now = this.#clock.now()
    if (standing.word === 'left') {
      const { failure, until } = standing
      const leftMs = until - now
      if (!failure) return { word: 'skipped', leftMs }
      return { word: 'failed', leftMs, failure: `${failure.code}: ${failure.message}` }
    }
    const { word, holder, isAwaited } = standing
    if (word === 'held') return { word, leftMs: standing.until - now, holder, isAwaited }
    const { code, message } = standing.failure
    const failure = code === '' ? undefined : `${code}: ${message}`
    return { word, leftMs: Math.max(0, standing.freeAt - now), holder, failure }
  }

  /** Takes a key's lease away from whoever holds it: what they load now may be older than what just happened. */
  revoke(address: Address): void {
    this.#standings.delete(idOf(address))
  }

  #end(address: Address, token: string): Held | undefined {
    const held = this.#heldBy(address, token)
    if (held) this.#standings.delete(idOf(address))
    return held
  }

  /** - `waitMs`: how long it may be waited for, before it is free. */
  #beLate(
    id: string,
    { token, holder, n0 }: Held,
    waitMs: number,
    { code, message, keptMs }: { readonly code: string; readonly message: string; readonly keptMs: number },
  ): void {
    const freeAt = this.#clock.now() + waitMs
    const failure: Failure = { word: 'failed', code, message }
    const until = freeAt + keptMs
    this.#stand(id, { word: 'late', token, holder, n0, failure, freeAt, until, isAwaited: true })
  }

  #leave(id: string, failure: Failure | undefined, ms: number): void {
    this.#stand(id, { word: 'left', failure, until: this.#clock.now() + ms })
  }

  /** Nobody may ever ask again: it takes no memory beyond its end. */
  #stand(id: string, standing: Standing): void {
    this.#standings.set(id, standing)
    this.#clock.inBackground(standing.until - this.#clock.now(), () => this.#standing(id))
  }

  #heldBy(address: Address, token: string): Held | undefined {
    const standing = this.#standing(idOf(address))
    return standing && standing.word !== 'left' && standing.token === token ? standing : undefined
  }

  #standing(id: string): Standing | undefined {
    const standing = this.#standings.get(id)
    if (standing === undefined || this.#clock.now() < standing.until) return standing
    this.#standings.delete(id)
    return undefined
  }
}

/** Leases without Redis, of one process of those that share the table. */
export class MemoryLeases implements Leases {
  readonly #table: MemoryLeaseTable
  readonly #released: (address: Address) => void
  readonly #waiting: Waiting
  readonly #holder: string | undefined

  /**
   * `released`: tells all processes that the holder of a key is done, so that those who wait there are called. `holder`: this
   * process, by its name in notices.
   */
  constructor(table: MemoryLeaseTable, clock: Clock, released: (address: Address) => void, holder?: string) {
    this.#holder = holder
    this.#table = table
    this.#released = released
    this.#waiting = new Waiting(clock)
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
    return this.#table.acquire(address, seen, hasWaited, renews, this.#holder)
  }

  async inspect(address: Address): Promise<LeaseSight | undefined> {
    return this.#table.inspect(address)
  }

  async renew(lease: Lease): Promise<boolean> {
    return this.#table.renew(lease)
  }

  async release(lease: Lease, ending: Ending): Promise<void> {
    if (this.#table.release(lease, ending)?.isAwaited) this.#released(lease.address)
  }

  call(address: Address): void {
    this.#waiting.call(address)
  }

  callAll(): void {
    this.#waiting.callAll(() => true)
  }
}

function idOf({ namespace, key }: Address): string {
  return localId(namespace, key)
}
