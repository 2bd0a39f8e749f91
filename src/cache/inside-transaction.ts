import { decode } from '../entry/codec.ts'
import { ageAt } from '../entry/freshness.ts'
import { copyDeep } from '../entry/isolation.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { EntrySettings, SetSettings } from './call-options.ts'
import { loadReplacing } from './fill.ts'
import type { HandedOut } from './get-or-load.ts'
import { getOrLoad } from './get-or-load.ts'
import type { LoadManyRequest } from './get-or-load-many.ts'
import { getOrLoadMany } from './get-or-load-many.ts'
import { inChunks } from './in-chunks.ts'
import { deleteEverywhere } from './invalidation.ts'
import type { LoadRequest, Replaced } from './load-request.ts'
import { groupsOf, handOut, standing } from './near.ts'
import type { Parts, Target } from './parts.ts'
import type { CacheEntry } from './read-entry.ts'
import { readEntry } from './read-entry.ts'
import type { Ready, SetManyResult } from './set-many.ts'
import { untilAborted, within } from './time-limit.ts'
import { checkCached, isChecked } from './validity.ts'
import type { HeldValue, Transaction } from './transaction.ts'
import type { Given } from './write-through.ts'
import { writeThrough } from './write-through.ts'

/** What a change comes to that a transaction holds. */
export const HELD = Object.freeze({ acknowledged: false, held: true })

/** Holds a deletion. */
export function deleteInside(parts: Parts, transaction: Transaction, target: Target, requireAck: boolean): void {
  const act = () => deleteEverywhere(parts, target)
  transaction.invalidate({ word: 'gone', id: target.id }, { operation: 'delete', requireAck, act })
}

/** Holds a `set`: the value as it is now, for as long as its `ttl` says from the end of the transaction on. */
export function setInside(
  parts: Parts,
  transaction: Transaction,
  target: Target,
  given: Given,
  settings: SetSettings,
): void {
  const { tags, ttlMs, staleMs = 0, requireAck, schema, tiers } = settings
  transaction.set(
    target.id,
    {
      read: readerOf(given),
      schema,
      tiers,
      tags,
      groups: groupsOf(target, tags),
      heldAt: parts.clock.now(),
      ttlMs,
      staleMs,
    },
    { operation: 'set', requireAck, act: () => writeThrough(parts, target, given, settings) },
    { operation: 'delete', requireAck, act: () => deleteEverywhere(parts, target) },
  )
}

/** What hands out a value to each reader inside: a copy, or the very value where that is what is kept. */
function readerOf(given: Given): () => unknown {
  if ('asItIs' in given) return () => given.asItIs
  const value = decode(given.encoded)
  return () => copyDeep(value)
}

/** Holds a `setMany`. */
export function setManyInside(parts: Parts, transaction: Transaction, entries: readonly Ready[]): SetManyResult {
  for (const { target, given, settings } of entries) setInside(parts, transaction, target, given, settings)
  return { ...HELD, results: new Map(entries.map(({ target }) => [target.key, HELD])) }
}

/**
 * The fresh value of a key for a reader inside, at once: what was set inside, or what L1 has and nobody invalidated inside;
 * if it was checked under the reader's schema.
 */
export function peekInside(
  parts: Parts,
  transaction: Transaction,
  target: Target,
  { schema }: EntrySettings,
  requests: RequestCounters,
): unknown {
  const near = parts.near?.get(target.id)
  const own = transaction.standing(target.id, near?.groups ?? target.groups)
  if (typeof own === 'object') return own.ttlMs > 0 && isChecked(own, schema) ? own.read() : undefined
  if (own !== undefined || !near || standing(parts, near, parts.clock.now()) !== 'fresh') return undefined
  if (!isChecked(near, schema)) return undefined
  requests.l1Fresh++
  return handOut(near.value, near.shared)
}

/** The story of a read inside that loads nothing: what was set inside; or else what is there, less what was invalidated inside. */
export async function readEntryInside<T>(
  parts: Parts,
  transaction: Transaction,
  target: Target,
  settings: EntrySettings,
  requests: RequestCounters,
): Promise<CacheEntry<T> | undefined> {
  const before = transaction.standing(target.id, target.groups)
  if (before === 'gone') return undefined
  if (typeof before === 'object') return held<T>(parts, target, before, settings)
  const entry = await readEntry<T>(parts, target, settings, requests)
  const now = transaction.standing(target.id, entry ? groupsOf(target, entry.tags) : target.groups)
  if (typeof now === 'object') return held<T>(parts, target, now, settings)
  if (!entry || now === 'gone') return undefined
  return now === 'stale' ? { ...entry, freshness: 'stale', ttl: 0 } : entry
}

/** As {@link readEntryInside}, of many keys. */
export function readEachInside<T>(
  parts: Parts,
  transaction: Transaction,
  targets: readonly Target[],
  settings: EntrySettings,
  requests: RequestCounters,
): Promise<(CacheEntry<T> | undefined)[]> {
  return Promise.all(inChunks(targets, (target) => readEntryInside<T>(parts, transaction, target, settings, requests)))
}

async function held<T>(
  parts: Parts,
  target: Target,
  own: HeldValue,
  { schema }: EntrySettings,
): Promise<CacheEntry<T> | undefined> {
  const { read, tags, tiers, heldAt, ttlMs, staleMs } = own
  // Its time begins at the end of the transaction: until then it is as it will be at that moment.
  if (ttlMs + staleMs === 0) return undefined
  const value = read()
  const checked = isChecked(own, schema) ? { value } : await checkCached(parts, target, value, { schema, tiers }, 'l1')
  const age = ageAt(heldAt, parts.clock.now())
  return (
    checked && {
      value: checked.value as T,
      freshness: ttlMs > 0 ? 'fresh' : 'stale',
      age,
      ttl: ttlMs,
      tags,
      tier: 'l1',
    }
  )
}

/**
 * The story of `getOrSet` inside. Until something is changed inside, it is that of any other. From then on a loader may read
 * what the database has not committed, and never will if it rolls back: what it answers goes to its caller, and nowhere else.
 */
export async function loadInside(parts: Parts, transaction: Transaction, request: LoadRequest): Promise<HandedOut> {
  if (!transaction.holds) {
    return getOrLoad(parts, { ...request, inside: transaction })
  }
  const { signal } = request.settings
  signal?.throwIfAborted()
  return untilAborted(signal, loadApart(parts, transaction, request), (reason) => request.audience.leave(reason))
}

async function loadApart(parts: Parts, transaction: Transaction, request: LoadRequest): Promise<HandedOut> {
  const { target, settings, requests } = request
  const found = await readEntryInside(parts, transaction, target, settings, requests)
  if (found?.freshness === 'fresh') return handedOut(parts, found)
  const entry = settings.staleMs === 0 ? undefined : found
  try {
    // What L1 has may be what was made gone inside.
    const there = found && replacedBy(parts, target, found)
    const loading = loadReplacing(parts, { ...request, there })
    const isSoft = entry !== undefined && settings.softTimeoutMs > 0
    const loaded = await (isSoft ? within(parts.clock, loading, settings.softTimeoutMs) : loading)
    if (loaded) return { loaded, joined: false }
    // Nobody else waits for it, and it would not be stored.
    request.audience.leave(undefined)
  } catch (error) {
    if (!entry || request.audience.isDeserted) throw error
  }
  return handedOut(parts, entry as CacheEntry<unknown>)
}

/** The story of `getOrSetMany` inside: that of each key, gathered as outside. */
export function loadManyInside(parts: Parts, transaction: Transaction, request: LoadManyRequest): Promise<HandedOut>[] {
  return getOrLoadMany(parts, request, (_, each) => loadInside(parts, transaction, each))
}

function replacedBy({ clock, marks }: Parts, target: Target, { value, age, tags }: CacheEntry<unknown>): Replaced {
  const groups = groupsOf(target, tags)
  return { value, shared: true, createdAt: clock.now() - age, tags, mark: marks.count, groups }
}

function handedOut({ clock }: Parts, { value, freshness, age, ttl, tier }: CacheEntry<unknown>): HandedOut {
  const now = clock.now()
  return { loaded: { value, tier, freshness, createdAt: now - age, freshUntil: now + ttl }, joined: false }
}
