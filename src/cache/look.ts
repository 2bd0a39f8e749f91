import { Audience } from '../stampede/audience.ts'
import type { Found, FoundEntry, FoundListener } from '../tiers/tier.ts'
import type { LoadOptions } from './call-options.ts'
import { readLoadOptions } from './call-options.ts'
import type { Listed } from './flights.ts'
import { loadFrom } from './get-or-load.ts'
import type { Loader } from './load-context.ts'
import type { FarLookup } from './lookup.ts'
import { keepNearer, readFound } from './lookup.ts'
import type { Namespace } from './namespace.ts'
import { handOut } from './near.ts'
import type { Parts, SharedParts, Target } from './parts.ts'
import { readOf, UNREACHABLE } from './servable.ts'

/**
 * The short story of most calls that L1 cannot answer: L2 has a fresh value. Such a call needs neither its options nor an
 * audience, nor a place in any Map. Where L2 says anything else, the long story goes on from there. See
 * docs/decisions/0039-a-look-before-the-story.md.
 */
abstract class Look implements Listed, FoundListener {
  readonly target: Target
  readonly id: string
  mark: number
  abstract readonly isForLoad: boolean
  poison: string | undefined = undefined
  previous: Listed | undefined = undefined
  next: Listed | undefined = undefined
  readonly answer: Promise<unknown>
  protected readonly space: Namespace
  /** Whether the call has ended before L2 has answered. */
  #isOver = false
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void

  constructor(space: Namespace, target: Target) {
    this.space = space
    this.target = target
    this.id = target.id
    this.mark = space.parts.marks.count
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Asks L2. Answers what the call gets. */
  begin(): Promise<unknown> {
    const { parts, requests } = this.space
    requests.l1Missing++
    if (this.isForLoad) parts.counters.loadsWaiting++
    parts.flights.enter(this)
    const { far } = parts.shared as SharedParts
    far.read(this.target, this.target.schemaVersion, this)
    return this.answer
  }

  found(found: Found): void {
    const { parts, defaults, requests } = this.space
    if (isPlainlyFresh(parts, found)) this.#fresh(found)
    else
      judged(parts, this.target, this, defaults, requests, found).then(
        (looked) => this.#end(looked),
        () => this.#end(undefined),
      )
  }

  failed(): void {
    // Counted and told by the client. Behind others as in `judged`.
    queueMicrotask(() => this.#end(undefined))
  }

  reject(error: unknown): void {
    this.#isOver = true
    this.#reject(error)
  }

  #fresh({ entry, bytes, sentAt }: FoundEntry): void {
    const { parts, defaults, requests } = this.space
    requests.l2Fresh++
    const shared = keepNearer(parts, this.target, this, defaults, entry, bytes, sentAt)
    if (this.isForLoad) parts.streak.noted(true)
    this.#leave()
    this.#resolve(handOut(entry.value, shared))
  }

  #end(looked: FarLookup | undefined): void {
    try {
      if (!this.#isOver) this.#resolve(this.goOn(looked))
    } catch (error) {
      this.reject(error)
    }
    this.#leave()
  }

  #leave(): void {
    const { counters, flights } = this.space.parts
    if (this.isForLoad) counters.loadsWaiting--
    flights.leave(this)
  }

  /** What the call does where L2 has no fresh value for it that is plain to see; `undefined`: L2 could not be asked. */
  protected abstract goOn(looked: FarLookup | undefined): unknown
}

class LookForGet extends Look {
  readonly isForLoad = false

  protected goOn(looked: FarLookup | undefined): unknown {
    return looked?.freshness === 'fresh' ? handOut(looked.entry.value, looked.shared) : undefined
  }
}

class LookForLoad extends Look {
  readonly isForLoad = true
  readonly #loader: Loader<unknown>
  readonly #options: LoadOptions | undefined

  constructor(space: Namespace, target: Target, loader: Loader<unknown>, options: LoadOptions | undefined) {
    super(space, target)
    this.#loader = loader
    this.#options = options
  }

  protected goOn(looked: FarLookup | undefined): unknown {
    const { space, target } = this
    const { parts, defaults, requests } = space
    const settings = space.kept(readLoadOptions('getOrSet', this.#options, defaults))
    const audience = new Audience()
    const request = { target, loader: this.#loader, settings, requests, audience, purpose: 'read' } as const
    const first = looked ? readOf(parts, request, this, looked) : UNREACHABLE
    return parts.life.attend(loadFrom(parts, request, first)).then(({ loaded }) => loaded.value)
  }
}

/** The value that L2 has of a key. `undefined`: the long story is to be told from its beginning. */
export function lookForGet(space: Namespace, key: string): Promise<unknown> | undefined {
  const target = lookedFor(space, key)
  return target && new LookForGet(space, target).begin()
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
  return new LookForLoad(space, target, loader as Loader<unknown>, options).begin()
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

/** Whether nothing else must be looked at to tell that it is fresh. */
function isPlainlyFresh({ clock, journal }: Parts, found: Found): found is FoundEntry {
  const isUnfenced = journal.size === 0
  return isUnfenced && found.word === 'entry' && found.tags.length === 0 && clock.now() < found.entry.freshUntil
}

/** Behind those who asked by the long story before, in whose answers there is one turn more: who came first loads. */
async function judged(...looked: Parameters<typeof readFound>): Promise<FarLookup> {
  await undefined
  return readFound(...looked)
}
