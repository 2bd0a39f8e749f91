import { Audience } from '../stampede/audience.ts'
import type { Found } from '../tiers/tier.ts'
import type { LoadOptions } from './call-options.ts'
import { readLoadOptions } from './call-options.ts'
import type { Listed } from './flights.ts'
import { loadFrom } from './get-or-load.ts'
import type { Loader } from './load-context.ts'
import type { FarLookup, FoundEntry } from './lookup.ts'
import { moveNearer, readFound } from './lookup.ts'
import type { Namespace } from './namespace.ts'
import { handOut } from './near.ts'
import type { Parts, SharedParts, Target } from './parts.ts'
import { readOf, UNREACHABLE } from './servable.ts'

/**
 * The short story of most calls that L1 cannot answer: L2 has a fresh value. Such a call needs neither its options nor an
 * audience, nor a place in any Map. Where L2 says anything else, the long story goes on from there. See
 * docs/decisions/0039-a-look-before-the-story.md.
 */
class Look implements Listed {
  readonly target: Target
  readonly id: string
  mark: number
  readonly isForLoad: boolean
  poison: string | undefined = undefined
  previous: Listed | undefined = undefined
  next: Listed | undefined = undefined
  readonly answer: Promise<unknown>
  /** Whether the call has ended before L2 has answered. */
  isOver = false
  resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void

  constructor(target: Target, mark: number, isForLoad: boolean) {
    this.target = target
    this.id = target.id
    this.mark = mark
    this.isForLoad = isForLoad
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.#reject = reject
    })
  }

  reject(error: unknown): void {
    this.isOver = true
    this.#reject(error)
  }
}

/** What a call does where L2 has no fresh value for it that is plain to see; `undefined`: L2 could not be asked. */
type GoOn = (look: Look, looked: FarLookup | undefined) => unknown

/** The value that L2 has of a key. `undefined`: the long story is to be told from its beginning. */
export function lookForGet(space: Namespace, key: string): Promise<unknown> | undefined {
  const target = lookedFor(space, key)
  return (
    target &&
    look(space, target, false, (_, looked) => {
      return looked?.freshness === 'fresh' ? handOut(looked.entry.value, looked.shared) : undefined
    })
  )
}

/** The same for a call that loads where there is nothing. */
export function lookForLoad(
  space: Namespace,
  key: string,
  loader: Loader<unknown, never>,
  options: LoadOptions | undefined,
): Promise<unknown> | undefined {
  if (options && !isPlain(options)) return undefined
  const target = lookedFor(space, key)
  if (target === undefined || !mayBeThere(space, target)) return undefined
  return look(space, target, true, (each, looked) => {
    const { parts, defaults, requests } = space
    const settings = space.kept(readLoadOptions('getOrSet', options, defaults))
    const audience = new Audience()
    const asked = loader as Loader<unknown>
    const request = { target, loader: asked, settings, requests, audience, purpose: 'read' } as const
    const first = looked ? readOf(parts, request, each, looked) : UNREACHABLE
    return parts.life.attend(loadFrom(parts, request, first)).then(({ loaded }) => loaded.value)
  })
}

/** Whether a fresh value in L2 answers a call with these options, whatever else they say. */
function isPlain({ isolation, l1Ttl, refreshAhead, schema, signal, tiers }: LoadOptions): boolean {
  return (
    isolation === undefined &&
    l1Ttl === undefined &&
    refreshAhead === undefined &&
    schema === undefined &&
    signal === undefined &&
    tiers === undefined
  )
}

/** The key of a call for which a look may do: L1 has nothing of it, and L2 is to be believed. */
function lookedFor(space: Namespace, key: string): Target | undefined {
  const { parts, looksDo } = space
  const { shared, journal, near, transactions } = parts
  if (!looksDo || !shared || journal.size > 0 || transactions.current()) return undefined
  let target: Target
  try {
    target = space.target(key)
  } catch {
    // The long story tells.
    return undefined
  }
  return near?.peek(target.id) || shared.far.passedOver ? undefined : target
}

/** Whether a call that loads is to look into L2 first. */
function mayBeThere({ parts: { loads, streak } }: Namespace, { id }: Target): boolean {
  return !streak.isCold && loads.joinable(id) === undefined
}

function look(space: Namespace, target: Target, isForLoad: boolean, goOn: GoOn): Promise<unknown> {
  const { parts, requests } = space
  const each = new Look(target, parts.marks.count, isForLoad)
  requests.l1Missing++
  if (isForLoad) parts.counters.loadsWaiting++
  parts.flights.enter(each)
  const end = (looked: FarLookup | undefined) => {
    try {
      if (!each.isOver) each.resolve(goOn(each, looked))
    } catch (error) {
      each.reject(error)
    }
    leave(parts, each)
  }
  const { far } = parts.shared as SharedParts
  far.get(target, target.schemaVersion).then(
    (found) => {
      if (isPlainlyFresh(parts, found)) answer(space, each, found)
      else judged(space, each, found).then(end, () => end(undefined))
    },
    () => end(undefined),
  )
  return each.answer
}

/** Whether nothing else must be looked at to tell that it is fresh. */
function isPlainlyFresh({ clock, journal }: Parts, found: Found): found is FoundEntry {
  const isUnfenced = journal.size === 0
  return isUnfenced && found.word === 'entry' && found.tags.length === 0 && clock.now() < found.entry.freshUntil
}

function answer(space: Namespace, each: Look, found: FoundEntry): void {
  const { parts, defaults, requests } = space
  const { entry, sentAt } = found
  const { shared } = moveNearer(parts, each.target, each, defaults, requests, found, entry, 'fresh', sentAt)
  if (each.isForLoad) parts.streak.noted(true)
  leave(parts, each)
  each.resolve(handOut(entry.value, shared))
}

async function judged({ parts, defaults, requests }: Namespace, each: Look, found: Found): Promise<FarLookup> {
  return readFound(parts, each.target, each, defaults, requests, found)
}

function leave({ counters, flights }: Parts, each: Look): void {
  if (each.isForLoad) counters.loadsWaiting--
  flights.leave(each)
}
