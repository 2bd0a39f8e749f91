import type { Clock } from '../clock.ts'
import { decode, integerOf } from '../entry/codec.ts'
import type { Address } from '../entry/entry.ts'
import type { Fence } from '../entry/fence.ts'
import { MADE_STALE, prolonged } from '../entry/freshness.ts'
import type { FarHealth } from '../events.ts'
import { FLAG_INTEGER } from '../entry/header.ts'
import { localId, localKey, namespaceGroup, namespacesAbove, tagGroup } from '../entry/key.ts'
import { keySubject } from '../entry/notice.ts'
import type { Stamp } from '../entry/stamp.ts'
import { judgeStamps } from '../entry/stamp.ts'
import type { Candidate, CommitOutcome, Found, IncrementOutcome, Seen, SetOutcome, Sight, Tier } from './tier.ts'

/** An entry as it is kept: still encoded, with its stamps, and the chain's number that it is known to follow. */
interface Kept extends Omit<Candidate, 'address'> {
  readonly seen: Buffer
  readonly n0: number
  /** Those of the namespaces above, then those of the tags. */
  readonly stamps: readonly string[]
}

/** The entries of one fleet. */
export class MemoryEntries {
  readonly #clock: Clock
  readonly #entries = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get({ namespace, key }: Address): Kept | undefined {
    const id = localId(namespace, key)
    const kept = this.#entries.get(id)
    if (kept === undefined || this.#clock.now() < kept.staleUntil) return kept
    this.#entries.delete(id)
    return undefined
  }

  set({ namespace, key }: Address, kept: Kept): void {
    this.#entries.set(localId(namespace, key), kept)
  }

  delete({ namespace, key }: Address): void {
    this.#entries.delete(localId(namespace, key))
  }

  clear(): void {
    this.#entries.clear()
  }

  keys(namespace: string): string[] {
    return [...this.#entries.keys()].flatMap((id) => {
      const key = localKey(namespace, id)
      return key !== undefined && this.get({ namespace, key }) ? [key] : []
    })
  }

  /** Whether an entry is there which is not the one that was seen. */
  hasOther(address: Address, seen: Seen | undefined): boolean {
    const kept = this.get(address)
    return kept !== undefined && !(typeof seen === 'object' && kept.seen.equals(seen))
  }
}

/** What moves together with the entries: other parts of the same fleet's truth. */
export interface FarGround {
  readonly chain: {
    readonly last: { readonly n: number }
    /** Adds a link about a key and tells all processes. */
    publish(operation: 'D' | 'S' | 'E', subject: string): unknown
    /** Tells those who wait for the lease of a key. */
    wake(operation: 'F' | 'R', subject: string): void
  }
  readonly stamps: {
    current(groups: readonly string[]): readonly (Stamp | undefined)[]
    /** What an entry carries that follows `n0`; `undefined` where a group was made void since. */
    carriedFrom(groups: readonly string[], n0: number): readonly string[] | undefined
  }
  readonly leases: {
    /** Ends a lease; `undefined` when it is not the holder's any more. */
    settle(address: Address, token: string): { readonly n0: number; readonly isAwaited: boolean } | undefined
    /** Takes the lease away from whoever holds it. */
    revoke(address: Address): void
  }
}

/**
 * L2 without Redis, of one process of those that share the entries: the readable reference of what the Lua scripts do.
 * Each method does its work in the turn in which it is called, as a script runs with nothing in between. All processes
 * share one clock, and nothing is evicted.
 */
export class MemoryFarTier implements Tier {
  readonly usable = true
  readonly passedOver = false
  readonly #entries: MemoryEntries
  readonly #ground: FarGround
  readonly #clock: Clock

  constructor(entries: MemoryEntries, ground: FarGround, clock: Clock) {
    this.#entries = entries
    this.#ground = ground
    this.#clock = clock
  }

  reaches(): boolean {
    return true
  }

  health(): FarHealth {
    return { servers: [] }
  }

  async get(address: Address, schemaVersion?: string): Promise<Found> {
    const kept = this.#entries.get(address)
    if (!kept) return { word: 'missing' }
    const { seen, n0, stamps, createdAt, freshUntil, staleUntil, tags, loadMs } = kept
    const above = namespacesAbove(address.namespace).map(namespaceGroup)
    if (judgeStamps(stamps, n0, this.#ground.stamps.current(above)) !== 'holds') return { word: 'void', seen }
    const carried = { tags, tagStamps: stamps.slice(above.length), n0, sentAt: this.#clock.now() }
    if (kept.schemaVersion !== schemaVersion && kept.flags !== FLAG_INTEGER) {
      return { word: 'incompatible', reason: 'schema-version', seen, ...carried }
    }
    const entry = { value: decode(kept), createdAt, freshUntil, staleUntil, tags, loadMs }
    return { word: 'entry', entry, bytes: kept.payload.length, seen, ...carried }
  }

  /** Never `late`, as nothing is on its way for a while; never `failed`, as there is room. */
  async set(candidate: Candidate): Promise<SetOutcome> {
    const { address, version } = candidate
    const there = this.#entries.get(address)
    if (version !== undefined && there?.version !== undefined && there.version > version) return 'older'
    this.#keep(candidate, this.#ground.chain.last.n)
    this.#changed('S', address)
    return 'stored'
  }

  async commit(candidate: Candidate, fence: Fence): Promise<CommitOutcome> {
    const { address } = candidate
    const settled = this.#ground.leases.settle(address, fence.token)
    if (!settled) return { word: 'refused', reason: 'lease' }
    const isKept = this.#keep(candidate, settled.n0)
    if (settled.isAwaited) this.#ground.chain.wake(isKept ? 'F' : 'R', keySubject(address))
    return isKept ? { word: 'stored' } : { word: 'refused', reason: 'moved' }
  }

  async delete(address: Address): Promise<void> {
    this.#entries.delete(address)
    this.#changed('D', address)
  }

  async expire(address: Address): Promise<void> {
    const kept = this.#entries.get(address)
    if (kept) this.#entries.set(address, { ...kept, freshUntil: MADE_STALE })
    this.#changed('E', address)
  }

  async touch(address: Address, _tags: readonly string[], ttlMs: number): Promise<boolean> {
    const kept = this.#entries.get(address)
    if (!kept) return false
    this.#entries.set(address, { ...kept, ...prolonged(kept, this.#clock.now(), ttlMs) })
    this.#changed('E', address)
    return true
  }

  async increment(candidate: Candidate, by: number): Promise<IncrementOutcome> {
    const { address } = candidate
    const counter = this.#counter(address)
    const before = counter ? countOf(counter) : 0
    if (before === undefined) return { word: 'wrong' }
    const value = before + by
    if (!Number.isSafeInteger(value)) return { word: 'overflow' }
    const payload = Buffer.from(String(value), 'latin1')
    if (counter) this.#entries.set(address, { ...counter, payload, seen: this.#fillStamp() })
    else this.#keep({ ...candidate, payload }, this.#ground.chain.last.n)
    this.#changed('S', address)
    return { word: 'stored', value }
  }

  async discard(address: Address, seen: Seen): Promise<void> {
    if (!this.#entries.hasOther(address, seen)) this.#entries.delete(address)
  }

  async inspect(address: Address, schemaVersion: string | undefined): Promise<Sight> {
    const kept = this.#entries.get(address)
    if (!kept) return { word: 'missing' }
    const { createdAt, freshUntil, staleUntil, payload, tags, version, n0, stamps } = kept
    const groups = [...namespacesAbove(address.namespace).map(namespaceGroup), ...tags.map(tagGroup)]
    const current = this.#ground.stamps.current(groups)
    const isOther = kept.schemaVersion !== schemaVersion && kept.flags !== FLAG_INTEGER
    return {
      word: 'entry',
      createdAt,
      freshUntil,
      staleUntil,
      bytes: payload.length,
      tags,
      version,
      schemaVersion: kept.schemaVersion,
      loadMs: undefined,
      moved: groups.filter((_, index) => current[index] !== undefined && current[index]?.name !== stamps[index]),
      lost: groups.filter((_, index) => current[index] === undefined),
      expired: groups.filter((_, index) => n0 < (current[index]?.softN ?? 0)),
      ...(isOther && { incompatible: 'schema-version' }),
    }
  }

  async *keys(namespace: string, prefix: string): AsyncGenerator<readonly string[]> {
    yield this.#entries.keys(namespace).filter((key) => key.startsWith(prefix))
  }

  /** What an addition is made to: an entry that is fresh, and not void. */
  #counter(address: Address): Kept | undefined {
    const kept = this.#entries.get(address)
    if (!kept || kept.freshUntil <= this.#clock.now()) return undefined
    const above = namespacesAbove(address.namespace).map(namespaceGroup)
    return judgeStamps(kept.stamps, kept.n0, this.#ground.stamps.current(above)) === 'holds' ? kept : undefined
  }

  /** Keeps a value that follows `n0`, unless one of its groups was made void since. Answers whether it did. */
  #keep({ address, ...candidate }: Candidate, n0: number): boolean {
    const groups = [...namespacesAbove(address.namespace).map(namespaceGroup), ...candidate.tags.map(tagGroup)]
    const stamps = this.#ground.stamps.carriedFrom(groups, n0)
    if (stamps) this.#entries.set(address, { ...candidate, seen: this.#fillStamp(), n0, stamps })
    return stamps !== undefined
  }

  /** A key is another one now: who loads it may not store, and all processes hear of it. */
  #changed(operation: 'D' | 'S' | 'E', address: Address): void {
    this.#ground.leases.revoke(address)
    this.#ground.chain.publish(operation, keySubject(address))
  }

  #fillStamp(): Buffer {
    return Buffer.from(this.#clock.nonce(8), 'hex')
  }
}

function countOf({ flags, tags, payload }: Kept): number | undefined {
  return flags === FLAG_INTEGER && tags.length === 0 ? integerOf(payload) : undefined
}
