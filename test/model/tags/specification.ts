import { tagGroup } from '../../../src/entry/key.ts'
import { Moves } from './moves.ts'
import type { Fault, Garbage, Life, Mind } from './plan.ts'
import type { Expected } from './rule.ts'
import type { Key } from './universe.ts'
import { entryName, groupsAbove, keys, leaseName } from './universe.ts'

/** A value that was stored. */
export interface Fill {
  readonly id: number
  readonly tags: readonly string[]
  /** The database's version that the value is known to follow. */
  version: number
  /** When its stamps were written. */
  readonly storedAt: number
  /** Of a counter. */
  sum: number | undefined
  /** Moves on when the value becomes another one in its place. */
  edition: number
  /** Why it is stale whatever its groups say: it was stored so, or expired since. */
  staleBy: 'age' | 'expiry' | undefined
}

/** What stands under an entry's name. */
type There = { readonly fill: Fill } | { readonly garbage: Garbage } | undefined

/** A load under way that was granted a lease, and the database's version when it began. */
export interface Load {
  readonly id: number
  readonly key: Key
  readonly version: number
}

/**
 * What stands in place of a key's lease.
 *
 * - `held`: by a load. `apart`: by one after a load that was not to be stored: nobody waits for it.
 * - `late`: a load is past its deadline: it may still store, and newcomers wait for it; `free`: they take over.
 * - `left`: what the last load left.
 * - `garbage`: something foreign.
 */
type Held =
  | { readonly word: 'held' | 'apart' | 'late' | 'free'; readonly load: number }
  | { readonly word: 'left'; readonly mark: 'skip' | 'failed' }
  | { readonly word: 'garbage' }

/** Garbage that is a text, so that it is seen by a reader. */
const TEXTS: ReadonlySet<string> = new Set(['text', 'empty', 'format'])

const EXPIRED: Expected = { words: ['stale'], rule: 'soft', because: 'it was expired' }

/** What the protocol promises of entries, leases and stamps, without saying how: it knows of no number of the chain. */
export class Specification {
  readonly #moves = new Moves()
  #fills = 0
  readonly #there = new Map<Key, There>()
  readonly #leases = new Map<Key, Held>()

  get hasChain(): boolean {
    return this.#moves.hasChain
  }

  /** The id of what is stored next. */
  get nextFill(): number {
    return this.#fills + 1
  }

  fill(key: Key): Fill | undefined {
    const there = this.#there.get(key)
    return there && 'fill' in there ? there.fill : undefined
  }

  /** What stands under an entry's name, by a word that is another one when it is replaced. */
  seen(key: Key): string {
    const there = this.#there.get(key)
    if (!there) return 'nothing'
    return 'garbage' in there ? there.garbage : `${there.fill.id}.${there.fill.edition}`
  }

  // ── Reads ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  found(key: Key): Expected {
    const there = this.#there.get(key)
    if (!there) return { words: ['missing'], rule: 'P3', because: 'its entry is gone' }
    if ('garbage' in there) {
      const words = [TEXTS.has(there.garbage) ? 'void' : 'missing']
      return { words, rule: 'P7', because: `its entry was overwritten (${there.garbage})` }
    }
    const standing = this.#moves.standing(there.fill, groupsAbove(key))
    return isVoid(standing) ? standing : { words: ['entry'], rule: 'useful', because: 'it is there' }
  }

  /** What a reader comes to that found this entry, which was expired then or not. */
  served(fill: Fill, wasExpired: boolean, mind: Mind): Expected {
    const of = fill.tags.map(tagGroup)
    const aged = (standing: Expected) => (wasExpired && standing.words[0] === 'fresh' ? EXPIRED : standing)
    const standing = this.#moves.standing(fill, of)
    const current = aged(standing)
    if (mind === 'doubting' || standing.rule === 'P3') return current
    // A loss is not told: a stamp that was lost may be remembered.
    const remembered = aged(this.#moves.standingByNotices(fill, of))
    return { ...current, words: [...new Set([...current.words, ...remembered.words])] }
  }

  /** Whether no reader may use this key's entry. */
  isVoid(key: Key): boolean {
    const fill = this.fill(key)
    return !fill || isVoid(this.#moves.standing(fill, groupsOf(key, fill.tags)))
  }

  // ── Loads ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `refresh`: the caller has seen what is there. `waited`: it has waited for a holder. */
  acquire(key: Key, refresh: boolean, waited: boolean): Expected {
    const there = this.#there.get(key)
    const isThere = there !== undefined && ('fill' in there || TEXTS.has(there.garbage))
    if (isThere && !refresh) return { words: ['found'], rule: 'P4', because: 'there is an entry that it has not seen' }
    const lease = this.#leases.get(key)
    const granted: Expected = { words: ['granted'], rule: 'useful', because: 'nobody holds it' }
    switch (lease?.word) {
      case 'held':
        return { words: ['busy'], rule: 'P4', because: `load ${lease.load} holds it` }
      case 'apart':
        return { words: ['skip'], rule: 'P4', because: `load ${lease.load} holds it, and nobody waits for it` }
      case 'late':
        return { words: [waited ? 'failed' : 'late'], rule: 'P4', because: `load ${lease.load} is late` }
      case 'left':
        if (lease.mark === 'skip' || !waited) return granted
        return { words: ['failed'], rule: 'P4', because: 'the last load ended so' }
      default:
        return granted
    }
  }

  granted(id: number, key: Key): Load {
    const lease = this.#leases.get(key)
    const isApart = lease?.word === 'left' && lease.mark === 'skip'
    this.#leases.set(key, { word: isApart ? 'apart' : 'held', load: id })
    this.#moves.makeChain()
    // The loader asks the database after the grant: what moved before is known to it.
    return { id, key, version: this.#moves.version }
  }

  /** Whether a load may store: it holds the lease, or is late and nobody took over. */
  holds({ id, key }: Load): boolean {
    const lease = this.#leases.get(key)
    return lease !== undefined && 'load' in lease && lease.load === id
  }

  isLate(load: Load): boolean {
    const word = this.#leases.get(load.key)?.word
    return this.holds(load) && (word === 'late' || word === 'free')
  }

  commit(load: Load, withTags: readonly string[]): Expected {
    if (!this.holds(load)) return { words: ['refused: lease'], rule: 'P4', because: 'its lease is gone' }
    const of = groupsOf(load.key, withTags)
    const moved = this.#moves.movedSince(load.version, of)
    if (moved !== undefined) {
      const words = ['refused: moved', 'refused: chain']
      return { words, rule: 'P3', because: `${moved} was invalidated after its load began` }
    }
    if (!this.hasChain) return { words: ['refused: chain'], rule: 'P7', because: 'the chain is gone' }
    if (this.#moves.mustTake(load.version, of)) {
      return { words: ['stored'], rule: 'useful', because: 'nothing that it depends on has moved' }
    }
    return { words: ['stored', 'refused: moved'], rule: 'useful', because: 'both are safe' }
  }

  committed(load: Load, word: string, withTags: readonly string[], life: Life): void {
    if (!this.holds(load)) return
    this.#leases.delete(load.key)
    if (word === 'stored') this.#store(load.key, load.version, withTags, life, undefined)
  }

  released(load: Load, ending: 'refused' | 'skipped' | 'failed' | 'late'): void {
    if (!this.holds(load)) return
    switch (ending) {
      case 'refused':
        this.#leases.delete(load.key)
        return
      case 'skipped':
        this.#leases.set(load.key, { word: 'left', mark: 'skip' })
        return
      case 'failed':
        this.#leases.set(load.key, { word: 'left', mark: 'failed' })
        return
      case 'late':
        this.#leases.set(load.key, { word: 'late', load: load.id })
        return
    }
  }

  /** A late load has been waited for long enough. */
  freed({ id, key }: Load): void {
    this.#leases.set(key, { word: 'free', load: id })
  }

  // ── Writes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  deleted(key: Key): void {
    this.#there.delete(key)
    this.#change(key)
  }

  set(key: Key, withTags: readonly string[], life: Life): void {
    this.#change(key)
    this.#store(key, this.#moves.version, withTags, life, undefined)
  }

  expired(key: Key): void {
    const fill = this.fill(key)
    if (fill) fill.staleBy = 'expiry'
    this.#change(key)
  }

  touched(key: Key): void {
    const fill = this.fill(key)
    if (!fill) return
    if (fill.staleBy === 'age') fill.staleBy = undefined
    this.#change(key)
  }

  increment(key: Key, by: number): Expected {
    const fill = this.#counted(key)
    if (!fill) return { words: [`stored: ${by}`], rule: 'sum', because: 'there is no counter that holds' }
    if (fill.sum === undefined) return { words: ['wrong'], rule: 'sum', because: 'it is no counter' }
    return { words: [`stored: ${fill.sum + by}`], rule: 'sum', because: `it stands at ${fill.sum}` }
  }

  incremented(key: Key, sum: number, life: Life): void {
    const fill = this.#counted(key)
    this.#change(key)
    if (!fill) {
      this.#store(key, this.#moves.version, [], life, sum)
      return
    }
    fill.sum = sum
    fill.version = this.#moves.version
    fill.edition++
  }

  invalidated(group: string): void {
    this.#moves.invalidate(group)
  }

  softened(group: string): void {
    this.#moves.soften(group)
  }

  discarded(key: Key): void {
    this.#there.delete(key)
  }

  // ── Losses ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  struck(fault: Fault): void {
    switch (fault.name) {
      case 'evict':
      case 'lapse':
        this.#replace(fault.of, undefined)
        return
      case 'garble':
        this.#replace(fault.of, fault.garbage)
        return
      case 'flush':
        this.#there.clear()
        this.#leases.clear()
        this.#moves.loseAll()
        return
      case 'forget-scripts':
        return
    }
  }

  #replace(name: string, garbage: Garbage | undefined): void {
    const ofEntry = keys.find((key) => entryName(key) === name)
    const ofLease = keys.find((key) => leaseName(key) === name)
    if (ofEntry) this.#there.set(ofEntry, garbage && { garbage })
    else if (ofLease && garbage) this.#leases.set(ofLease, { word: 'garbage' })
    else if (ofLease) this.#leases.delete(ofLease)
    else this.#moves.lose(name)
  }

  // ── What several of them do ─────────────────────────────────────────────────────────────────────────────────────────

  /** What an increment adds to, or refuses to: it looks at deadlines and namespaces, not at tags. */
  #counted(key: Key): Fill | undefined {
    const fill = this.fill(key)
    if (!fill || fill.staleBy || isVoid(this.#moves.standing(fill, groupsAbove(key)))) return undefined
    return fill
  }

  /** A key becomes another one: whoever loads it may not store. */
  #change(key: Key): void {
    this.#leases.delete(key)
    this.#moves.link()
  }

  #store(key: Key, version: number, withTags: readonly string[], life: Life, sum: number | undefined): void {
    const storedAt = this.#moves.tick()
    this.#moves.bear(groupsOf(key, withTags))
    this.#fills++
    const staleBy = life === 'stale' ? ('age' as const) : undefined
    const fill = { id: this.#fills, tags: withTags, version, storedAt, sum, edition: 0, staleBy }
    this.#there.set(key, { fill })
  }
}

function isVoid(standing: Expected): boolean {
  return standing.words[0] === 'void'
}

function groupsOf(key: Key, withTags: readonly string[]): readonly string[] {
  return [...groupsAbove(key), ...withTags.map(tagGroup)]
}
