import { AsyncLocalStorage } from 'node:async_hooks'
import type { StandardSchema } from '../entry/schema.ts'
import type { Acknowledged } from './acknowledgement.ts'
import { acknowledged } from './acknowledgement.ts'
import { inChunks } from './in-chunks.ts'

/** A change that waits for the end of its transaction. */
export interface Change {
  readonly operation: string
  readonly requireAck: boolean
  readonly act: () => Promise<Acknowledged>
}

/** What becomes of a key, or of a group of keys: see `Target` and `entry/key.ts` for their names. */
export type Invalidated =
  | { readonly word: 'gone' | 'stale'; readonly id: string }
  | { readonly word: 'gone' | 'stale'; readonly group: string }

/** A value that was set inside, for the reads inside. */
export interface HeldValue {
  /** Answers it, for one reader. */
  readonly read: () => unknown
  /** What it was checked under. */
  readonly schema: StandardSchema | undefined
  readonly tiers: 'all' | 'l1'
  readonly tags: readonly string[]
  readonly groups: readonly string[]
  readonly heldAt: number
  readonly ttlMs: number
  readonly staleMs: number
}

/** What a transaction has made of a key; `undefined`: nothing. */
export type HeldStanding = HeldValue | 'gone' | 'stale' | undefined

/** Changes that may be carried out at one time: they commute. One name, one change. */
interface Batch {
  readonly kind: 'invalidations' | 'writes'
  readonly changes: Map<string, Change>
}

/** The changes that were made inside of one transaction, and what they mean for its own reads. */
export class Transaction {
  readonly #whenHolding = new Set<() => void>()
  #batches: Batch[] = []
  /** What to do in place of a value that is not to be trusted. */
  readonly #instead = new Map<Change, { readonly id: string; readonly deletion: Change }>()
  readonly #keys = new Map<string, HeldValue | 'gone' | 'stale'>()
  readonly #groups = new Map<string, 'gone' | 'stale'>()
  /** Whether its callback is under way: what is called later in its context is outside. */
  isOpen = true
  /** Whether something was changed inside. */
  holds = false

  constructor(whenHolding: () => void) {
    this.#whenHolding.add(whenHolding)
  }

  /** Has something done at the first change inside, which is still to come. Answers how to take that back. */
  whenHolding(act: () => void): () => void {
    this.#whenHolding.add(act)
    return () => this.#whenHolding.delete(act)
  }

  /** Holds that something becomes gone or stale. */
  invalidate(what: Invalidated, change: Change): void {
    const name = 'id' in what ? `${what.word} key ${what.id}` : `${what.word} group ${what.group}`
    const { changes } = this.#batch('invalidations')
    const requireAck = change.requireAck || (changes.get(name)?.requireAck ?? false)
    changes.set(name, { ...change, requireAck })
    if ('id' in what) this.#invalidateKey(what.word, what.id)
    else this.#invalidateGroup(what.word, what.group)
  }

  /** Holds that a value is set. `deletion` is carried out in its place when it turns out that it is not to be trusted. */
  set(id: string, held: HeldValue, change: Change, deletion: Change): void {
    this.#write(id, change)
    this.#instead.set(change, { id, deletion })
    this.#keys.set(id, held)
  }

  /** Holds a change that does not concern what is read inside. */
  touch(id: string, change: Change): void {
    this.#write(id, change)
  }

  /** What became of a key, whose groups these are. */
  standing(id: string, groups: readonly string[]): HeldStanding {
    const own = this.#keys.get(id)
    if (typeof own === 'object') return own
    let standing: HeldStanding = own
    for (const group of groups) {
      const word = this.#groups.get(group)
      if (word === 'gone') return word
      standing ??= word
    }
    return standing
  }

  /** Makes a deletion of each value that was set: nobody knows which of them the database has. */
  distrustValues(): void {
    for (const { kind, changes } of this.#batches) {
      if (kind !== 'writes') continue
      for (const [name, change] of changes) changes.set(name, this.#instead.get(change)?.deletion ?? change)
    }
    for (const { id } of this.#instead.values()) this.#keys.set(id, 'gone')
    this.#instead.clear()
  }

  /** Ends what is inside. Its reads are over, too, though their context may live on for long. */
  end(): void {
    this.isOpen = false
    this.#keys.clear()
    this.#groups.clear()
  }

  /** Forgets what was held. */
  drop(): void {
    this.#batches = []
    this.#instead.clear()
  }

  /** Carries out what was held, all of it. Rejects with the first failure. */
  async commit(): Promise<void> {
    const failures: unknown[] = []
    const batches = this.#batches
    this.drop()
    for (const { changes } of batches) {
      const outcomes = await Promise.allSettled(
        inChunks([...changes.values()], ({ operation, requireAck, act }) => acknowledged(operation, requireAck, act())),
      )
      for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason)
    }
    if (failures.length > 0) throw failures[0]
  }

  #write(id: string, change: Change): void {
    const last = this.#batch('writes')
    if (!last.changes.has(id)) last.changes.set(id, change)
    else this.#batches.push({ kind: 'writes', changes: new Map([[id, change]]) })
  }

  /** The batch that the next change goes into: the last one, if it is of the same kind. */
  #batch(kind: Batch['kind']): Batch {
    if (!this.holds) {
      this.holds = true
      for (const act of this.#whenHolding) act()
      this.#whenHolding.clear()
    }
    const last = this.#batches.at(-1)
    if (last?.kind === kind) return last
    const batch: Batch = { kind, changes: new Map() }
    this.#batches.push(batch)
    return batch
  }

  /** A value that was set inside and expired there is no longer to be had: what lies under it is older still. */
  #invalidateKey(word: 'gone' | 'stale', id: string): void {
    const own = this.#keys.get(id)
    this.#keys.set(id, own === undefined || own === 'stale' ? word : 'gone')
  }

  #invalidateGroup(word: 'gone' | 'stale', group: string): void {
    if (this.#groups.get(group) !== 'gone') this.#groups.set(group, word)
    for (const [id, held] of this.#keys) {
      if (typeof held === 'object' && held.groups.includes(group)) this.#keys.set(id, 'gone')
    }
  }
}

/** The transactions of one cache and its namespaces. */
export class Transactions {
  readonly #storage = new AsyncLocalStorage<Transaction>()
  readonly #unsettled = new Set<Promise<unknown>>()
  #underWay = 0
  #holding = 0

  /** The transaction that the caller is inside of. */
  current(): Transaction | undefined {
    if (this.#underWay === 0) return undefined
    const transaction = this.#storage.getStore()
    return transaction?.isOpen ? transaction : undefined
  }

  /** The same for a reader: `undefined` also where nobody holds a change, so that L1 and L2 are the whole truth. */
  holder(): Transaction | undefined {
    return this.#holding === 0 ? undefined : this.current()
  }

  /** Runs a callback inside of a transaction: the one under way, or else one of its own. */
  run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const outer = this.current()
    if (outer) return join(outer, work)
    const running = this.#begin(work)
    this.#unsettled.add(running)
    const end = () => {
      this.#unsettled.delete(running)
    }
    running.then(end, end)
    return running
  }

  /** Resolves when those under way now have come to their end. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#unsettled)
  }

  async #begin<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const transaction = new Transaction(() => this.#holding++)
    this.#underWay++
    let value: T
    try {
      value = await this.#storage.run(transaction, work)
    } catch (error) {
      transaction.drop()
      throw error
    } finally {
      this.#end(transaction)
    }
    await transaction.commit()
    return value
  }

  #end(transaction: Transaction): void {
    transaction.end()
    if (transaction.holds) this.#holding--
    this.#underWay--
    // Node 20 makes every promise of the process pay for a storage in use.
    if (this.#underWay === 0) this.#storage.disable()
  }
}

async function join<T>(outer: Transaction, work: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // The database may have rolled back a part, and the outer callback may go on.
    outer.distrustValues()
    throw error
  }
}
