import type { Currency } from '../entry/currency.ts'
import type { Entry } from '../entry/entry.ts'
import { MADE_STALE } from '../entry/freshness.ts'
import type { RefreshAhead } from '../entry/refresh-ahead.ts'
import { calmUntil } from '../entry/refresh-ahead.ts'
import type { StandardSchema } from '../entry/schema.ts'

/** What the entries of one namespace and bucket have in common: one object, which all of them share. */
export interface NearHome {
  readonly isRoot: boolean
  readonly bucket: number
  /** How far this process has heard what happened to the bucket. */
  readonly currency: Currency
  /** The groups that every entry here belongs to. */
  readonly groups: readonly string[]
}

/** What an entry of L1 is made of. Instants are monotonic milliseconds. */
export interface NearContent extends Entry {
  readonly home: NearHome
  readonly groups: readonly string[]
  readonly asOf: number
  readonly ttlUntil: number | undefined
  readonly keptUntil: number
  readonly mark: number
  readonly bytes: number
  readonly shared: boolean
  readonly tiers: 'all' | 'l1'
  readonly schema: StandardSchema | undefined
}

/** What few entries have. */
interface Rare {
  readonly version: number | undefined
  readonly tiers: 'all' | 'l1'
  /** Instants too far from `asOf` for an {@link offset}. */
  readonly createdAt: number | undefined
  freshUntil: number | undefined
  readonly staleUntil: number | undefined
  readonly keptUntil: number | undefined
  readonly ttlUntil: number | undefined
  ahead: RefreshAhead | undefined
  calmUntil: number | undefined
}

/** In place of an offset: further ahead than an offset can tell, or back. Without an instant in {@link Rare}, for ever. */
const FAR_AHEAD = 2 ** 31 - 1
const FAR_BACK = -(2 ** 31)

/**
 * An entry as L1 keeps it: beside the value what tells, without a look at anything else, whether it may be served.
 *
 * There may be millions: what V8 keeps in the object itself takes 8 bytes, and any number that is no small integer 16 more.
 * So its instants are whole milliseconds from `asOf` on, rounded down: no deadline is later than it was asked for.
 */
export class NearEntry implements Entry {
  readonly value: unknown
  readonly home: NearHome
  readonly tags: readonly string[]
  /** The namespaces above it, its bucket and its tags, by their names as groups. */
  readonly groups: readonly string[]
  /** When the value was known to be current: the sending of the read that brought it, or the start of its load. */
  readonly asOf: number
  /** How many marks had been moved when none of its groups had. */
  mark: number
  readonly bytes: number
  readonly loadMs: number
  /** Whether all readers may share the value. */
  readonly shared: boolean
  /** The last schema that let it pass. */
  readonly schema: StandardSchema | undefined
  /** The answer to `await`, made once and given to every reader of a shared value. */
  ready: Promise<unknown> | undefined
  #createdIn: number
  #freshIn: number
  #staleIn: number
  #keptIn: number
  /** `FAR_BACK`: there is none. */
  #ttlIn: number
  #rare: Rare | undefined

  constructor(content: NearContent) {
    const { asOf, createdAt, freshUntil, staleUntil, keptUntil, ttlUntil, version, tiers } = content
    this.value = content.value
    this.home = content.home
    this.tags = content.tags
    this.groups = content.groups
    this.asOf = asOf
    this.mark = content.mark
    this.bytes = content.bytes
    this.loadMs = Math.min(Math.round(content.loadMs ?? 0), FAR_AHEAD) | 0
    this.shared = content.shared
    this.schema = content.schema
    this.ready = undefined
    this.#createdIn = offset(asOf, createdAt)
    this.#freshIn = offset(asOf, freshUntil)
    this.#staleIn = offset(asOf, staleUntil)
    this.#keptIn = offset(asOf, keptUntil)
    this.#ttlIn = ttlUntil === undefined ? FAR_BACK : offset(asOf, ttlUntil)
    const isCommon =
      version === undefined &&
      tiers === 'all' &&
      isTold(this.#createdIn, createdAt) &&
      isTold(this.#freshIn, freshUntil) &&
      isTold(this.#staleIn, staleUntil) &&
      isTold(this.#keptIn, keptUntil) &&
      (ttlUntil === undefined || isTold(this.#ttlIn, ttlUntil))
    this.#rare = isCommon ? undefined : rareOf(content)
  }

  get createdAt(): number {
    return instant(this.asOf, this.#createdIn, this.#rare?.createdAt)
  }

  /** Until then it is served as it is: its own deadline, that of `l1Ttl`, or the moment when it was made stale. */
  get freshUntil(): number {
    return instant(this.asOf, this.#freshIn, this.#rare?.freshUntil)
  }

  get staleUntil(): number {
    return instant(this.asOf, this.#staleIn, this.#rare?.staleUntil)
  }

  /** Past it L1 does not answer, though the entry itself may live on in L2. */
  get keptUntil(): number {
    return instant(this.asOf, this.#keptIn, this.#rare?.keptUntil)
  }

  /** When its ttl is over in L2, where that is later. */
  get ttlUntil(): number | undefined {
    return this.#ttlIn === FAR_BACK ? undefined : instant(this.asOf, this.#ttlIn, this.#rare?.ttlUntil)
  }

  /** What its writer gave it to be compared by. */
  get version(): number | undefined {
    return this.#rare?.version
  }

  /** `'l1'`: it is the very value that was given, and L2 has none. */
  get tiers(): 'all' | 'l1' {
    return this.#rare?.tiers ?? 'all'
  }

  /** Whether it is before all of its deadlines, as far as its offsets tell: `false` decides nothing. */
  isSurelyFresh(now: number): boolean {
    const age = now - this.asOf
    return age < this.#freshIn && age < this.#keptIn
  }

  makeStale(): void {
    this.#freshIn = FAR_BACK
    if (this.#rare) this.#rare.freshUntil = MADE_STALE
  }

  /** Notes until when a reader with this `refreshAhead` has nothing to renew. */
  calm(ahead: RefreshAhead): void {
    const { createdAt, ttlUntil = this.freshUntil, loadMs } = this
    this.#rare ??= rareOf({ tiers: 'all' })
    this.#rare.ahead = ahead
    this.#rare.calmUntil = calmUntil({ createdAt, ttlUntil, loadMs }, ahead)
  }

  /** Whether such a reader was noted, and has nothing to renew. */
  isCalm(ahead: RefreshAhead, now: number): boolean {
    const rare = this.#rare
    return rare !== undefined && rare.ahead === ahead && now < (rare.calmUntil as number)
  }

  /** The same with some of it changed. */
  with(changes: Partial<Pick<NearContent, 'value' | 'shared' | 'schema'>>): NearEntry {
    const { value, home, tags, groups, asOf, mark, bytes, loadMs, shared, schema } = this
    const { createdAt, freshUntil, staleUntil, keptUntil, ttlUntil, version, tiers } = this
    const copy = new NearEntry({
      ...{ value, home, tags, groups, asOf, mark, bytes, loadMs, shared, schema },
      ...{ createdAt, freshUntil, staleUntil, keptUntil, ttlUntil, version, tiers },
      ...changes,
    })
    // What was rounded down once is not rounded down again.
    copy.#createdIn = this.#createdIn
    copy.#freshIn = this.#freshIn
    copy.#staleIn = this.#staleIn
    copy.#keptIn = this.#keptIn
    copy.#ttlIn = this.#ttlIn
    const ahead = this.#rare?.ahead
    if (ahead !== undefined) copy.calm(ahead)
    return copy
  }
}

function rareOf(content: Pick<NearContent, 'tiers'> & Partial<NearContent>): Rare {
  const { version, tiers, createdAt, freshUntil, staleUntil, keptUntil, ttlUntil } = content
  const instants = { createdAt, freshUntil, staleUntil, keptUntil, ttlUntil }
  return { version, tiers, ...instants, ahead: undefined, calmUntil: undefined }
}

/** What an offset tells; `exact` is what {@link Rare} has in its place. */
function instant(asOf: number, offsetMs: number, exact: number | undefined): number {
  if (offsetMs === FAR_AHEAD) return exact ?? Number.POSITIVE_INFINITY
  if (offsetMs === FAR_BACK) return exact ?? Number.NEGATIVE_INFINITY
  return asOf + offsetMs
}

function offset(asOf: number, until: number): number {
  const ms = Math.floor(until - asOf)
  // -0, too, is no small integer.
  if (ms > FAR_BACK && ms < FAR_AHEAD) return ms | 0
  return until > asOf ? FAR_AHEAD : FAR_BACK
}

/** Whether an offset tells an instant without {@link Rare}. */
function isTold(offsetMs: number, until: number): boolean {
  return (offsetMs !== FAR_AHEAD && offsetMs !== FAR_BACK) || !Number.isFinite(until)
}
