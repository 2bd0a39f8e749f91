import { checkTags } from '../entry/key.ts'
import type { Due } from '../entry/refresh-ahead.ts'
import { badValue, TierCacheError } from '../errors.ts'
import type { RequestCounters } from '../events.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import type { Audience } from '../stampede/audience.ts'
import type { LoadSettings } from './call-options.ts'
import { groupsOf, handOut } from './near.ts'
import { loads, traced } from '../tracing.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import type { Made } from './term.ts'
import { toldTags } from './told-tags.ts'
import { checkGiven } from './validity.ts'

/**
 * What a loader is given, of which it may use what it likes until it has ended; after that nothing of it has an effect.
 * `T`: what is cached under the key.
 */
export interface LoadContext<T = unknown> {
  /** The key that is loaded. */
  readonly key: string
  /**
   * Aborted when nobody waits for the value any more: the load has taken `hardTimeout`, or the last of its callers has left
   * (their `signal`). What the loader answers all the same is stored, unless another load took its place. A load behind a
   * stale value goes on, whoever leaves.
   */
  readonly signal: AbortSignal
  /**
   * What is to be replaced, where there is something, in L1 or L2: a value that is stale, or, with `refreshAhead`, still
   * fresh; and how old it is, in ms. As for any reader it is frozen, or a copy, or the very value, by its `isolation`.
   */
  readonly stale: { readonly value: T; readonly age: number } | undefined
  /** Sets how long the value will be fresh, once it is known. Throws `ERR_INVALID_OPTION`. */
  setTtl(ttl: Duration): void
  /**
   * Sets for how long past its ttl the value may be served, as the option `stale` does, once that is known. Throws
   * `ERR_INVALID_OPTION`.
   */
  setStale(stale: Duration): void
  /** Adds to the tags of the value, once they are known. Throws `ERR_INVALID_TAG`. */
  setTags(...tags: string[]): void
  /**
   * The returned value goes to the callers and is not stored. What the processes that wait for it do then: `each` loads
   * for itself, and nobody waits for a load that begins within a second, whose value is stored all the same if it may be
   * (the default); or the `next` of them loads for all. Throws `ERR_INVALID_ARGUMENT`.
   */
  skip(others?: 'each' | 'next'): void
  /**
   * The value of {@link LoadContext.stale} is still right: it is kept, with its tags and those of this load, and as fresh as
   * if it had been loaded. What the loader returns is not looked at; `return notModified()` suits its type. Throws
   * `ERR_NOTHING_TO_KEEP` where there is no such value.
   */
  notModified(): never
}

/** Where what a face's loader is given tells it, without the cost of a signal, when nobody waits for it any more. */
export const whenAborted = Symbol('tiercache.whenAborted')

/** What the loader of a face is given. */
export interface FaceContext<T = unknown> extends LoadContext<T> {
  /** Acts once {@link LoadContext.signal} is aborted; at once where it is. The last one that was given acts. */
  readonly [whenAborted]: (act: () => void) => void
}

/** Computes the value of a key. `undefined` is handed to the callers and not stored. `Stale`: what is cached already. */
export type Loader<T, Stale = T> = (context: LoadContext<Stale>) => T | Promise<T>

/** What a load is to replace. */
export interface Replaced {
  readonly value: unknown
  /** Whether others may get this very value too. */
  readonly shared: boolean
  readonly createdAt: number
  readonly tags: readonly string[]
  /** How many marks had been moved when none of its groups had. */
  readonly mark: number
  readonly groups: readonly string[]
}

/** What a caller is about to be served, for a caller that judges that itself. */
export interface Offer {
  readonly value: unknown
  readonly freshness: 'fresh' | 'stale'
  /** Since it was stored, in ms. */
  readonly age: number
  /** It is served in place of a load, or a wait for one, that came to nothing. */
  readonly failed: boolean
}

/** One load, as its caller wants it. */
export interface LoadRequest {
  readonly target: Target
  readonly loader: Loader<unknown>
  readonly settings: LoadSettings
  readonly requests: RequestCounters
  /** Those who wait for it: its caller, and who joins the run that it begins. */
  readonly audience: Audience
  /**
   * - `read`: a stale value will do, if the reader has it so.
   * - `renew`: a stale value is what is to be replaced.
   * - `fall-back`: whatever is there will do, as nothing could be loaded.
   */
  readonly purpose: 'read' | 'renew' | 'fall-back'
  /** Of a renewal ahead of the end: which fresh values are to be replaced. */
  readonly isDue?: Due | undefined
  /**
   * Which values the caller takes, from L1, L2 or another caller's load; what it does not take is to be replaced. It judges
   * in place of `stale`: a stale one that it takes is served, and renewed behind it. Default: as `stale` says.
   */
  readonly accepts?: ((offer: Offer) => boolean) | undefined
  /** What a renewal behind the caller runs in place of `loader`. */
  readonly behind?: Loader<unknown> | undefined
  /** The transaction that the caller is inside of: from its first change on, what a loader answers is for that caller alone. */
  readonly inside?: Inside | undefined
  /**
   * How many bytes a value takes that is loaded here: it is plain data that nobody changes, so that L1 keeps it as it is. Default:
   * as many as it is encoded to, and L1 keeps what that is decoded to.
   */
  readonly bytesOf?: ((value: unknown) => number) | undefined
  /** What was found and is to be replaced. */
  readonly there?: Replaced | undefined
  /** Its place in a batch, if it is of one. */
  readonly place?: BatchPlace | undefined
}

/** A transaction, as a load sees it. */
export interface Inside {
  /** Whether something was changed inside. */
  readonly holds: boolean
  /** Has something done at the first change inside. Answers how to take that back. */
  whenHolding(act: () => void): () => void
}

/** The place of one key in a batch, which is loaded as soon as each of its keys asks for it, waits, or needs nothing. */
export interface BatchPlace {
  /** What all places of one batch have in common. */
  readonly batch: object
  /** It waits for a load that others run, until the instant `until` at most. */
  waits(until?: number): void
  /** It waits no longer, and may need a load. */
  goesOn(): void
  /** It needs nothing any more. */
  leaves(): void
  /** What a renewal of its value behind its reader goes by: it is of the same batch, and nobody waits for it. */
  behind(): Pick<LoadRequest, 'loader' | 'place'>
}

/** What a run of a loader came to. */
export interface Run extends Made {
  readonly loadMs: number
}

/** Told at the moment when nobody waits for a loader any more, with what it comes to all the same. */
export interface Outlived {
  /** It is past its deadline: `error` is what its callers get. */
  late(outcome: Promise<Run>, error: TierCacheError): void
  /** The last of its callers has left. */
  deserted(outcome: Promise<Run>): void
}

/**
 * Runs the loader within its deadline, and for as long as somebody waits for it. Without an `outlived`, what it does after
 * that is dropped.
 */
export async function runLoader(parts: Parts, request: LoadRequest, outlived?: Outlived): Promise<Run> {
  const { clock, counters, events, backOff, life } = parts
  const { target, loader, settings, audience, there } = request
  life.bind(audience)
  if (audience.isDeserted) throw audience.reason
  const abortion = new Abortion()
  const startedAt = clock.now()
  let ttlMs: number | undefined
  let staleMs: number | undefined
  let { tags } = settings
  let skippedFor: Run['skippedFor']
  let kept: Replaced | undefined
  let hasEnded = false
  let stale: LoadContext['stale']
  const context: FaceContext = {
    key: target.key,
    [whenAborted]: (act) => abortion.whenAborted(act),
    get signal() {
      return abortion.signal
    },
    get stale() {
      // Made when it is asked for: a copy, where others have the value too and might see it changed.
      if (there) stale ??= { value: handOut(there.value, there.shared), age: Math.max(0, startedAt - there.createdAt) }
      return stale
    },
    setTtl: (ttl) => {
      if (!hasEnded) ttlMs = readDuration('ttl', ttl)
    },
    setStale: (stale) => {
      if (!hasEnded) staleMs = readDuration('stale', stale)
    },
    setTags: (...more) => {
      if (!hasEnded) tags = checkTags([...tags, ...more])
    },
    skip: (others = 'each') => {
      if (others !== 'each' && others !== 'next') {
        throw badValue('ERR_INVALID_ARGUMENT', 'others', "'each' or 'next'", others)
      }
      if (!hasEnded) skippedFor = others
    },
    notModified: () => {
      if (!hasEnded && !there) throw nothingToKeep(target.key)
      if (!hasEnded) kept = there
      return undefined as never
    },
  }
  const work = async (): Promise<Run> => {
    let returned: unknown
    try {
      returned = await tracedLoad(target, () => loader(context))
    } finally {
      hasEnded = true
    }
    const loadMs = clock.now() - startedAt
    const loaded = kept ? handOut(kept.value, kept.shared) : returned
    const { schema } = settings
    const value = schema ? await checkGiven(schema, loaded, loadedValueOf(target)) : loaded
    const more = kept ? kept.tags : toldTags(context, value)
    const allTags = more ? checkTags([...more, ...tags]) : tags
    backOff.end(target.id)
    if (request.inside?.holds) skippedFor = 'next'
    return { value, loadMs, ttlMs, staleMs, tags: allTags, skippedFor }
  }
  const told = (error?: unknown) => {
    const ms = clock.now() - startedAt
    counters.loadsRunning--
    counters.loadTimings.add(ms)
    if (audience.isDeserted) counters.loadsAborted++
    else if (error !== undefined) counters.loadsFailed++
    const { namespace, key } = target
    events.tell('load', () => (error === undefined ? { namespace, key, ms } : { namespace, key, ms, error }))
  }
  counters.loadsRunning++
  try {
    const run = await whileAwaited(parts, request, abortion, work, outlived)
    told()
    return run
  } catch (error) {
    told(error ?? new Error('the loader failed without an error'))
    throw error
  } finally {
    life.release(audience)
  }
}

/** The end of a loader that nobody waits for any more. Its signal is made when the loader asks for it, which most do not. */
class Abortion {
  #controller: AbortController | undefined
  #abort: ((controller: AbortController) => void) | undefined
  #act = () => {}

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      this.#abort?.(this.#controller)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#abort = (controller) => controller.abort(reason)
    if (this.#controller) this.#abort(this.#controller)
    this.#act()
  }

  whenAborted(act: () => void): void {
    if (this.#abort) act()
    else this.#act = act
  }
}

/** Runs a loader, and tells of it where somebody traces. */
function tracedLoad({ namespace, key }: Target, run: () => unknown): unknown {
  return loads.hasSubscribers ? traced(loads, { namespace, key }, async () => run()) : run()
}

/** The outcome of the work; or its abortion, when it has taken `hardTimeout` or the last of its callers has left. */
function whileAwaited(
  { clock }: Parts,
  { target: { key }, settings: { hardTimeoutMs: ms }, audience }: LoadRequest,
  abortion: Abortion,
  work: () => Promise<Run>,
  outlived: Outlived | undefined,
): Promise<Run> {
  return new Promise<Run>((resolve, reject) => {
    const beLate = () => {
      audience.stay()
      const error = new TierCacheError('ERR_LOAD_TIMEOUT', `the loader of ${shortened(key)} took more than ${ms} ms`)
      outlived?.late(outcome, error)
      abortion.abort(error)
      reject(error)
    }
    const beDeserted = (reason: unknown) => {
      cancel()
      outlived?.deserted(outcome)
      abortion.abort(reason)
      reject(reason)
    }
    const cancel = ms === Number.POSITIVE_INFINITY ? () => {} : clock.after(ms, beLate)
    const outcome = work()
    const end = () => {
      cancel()
      if (!audience.isDeserted) audience.stay()
    }
    outcome.then(
      (run) => {
        end()
        resolve(run)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
    // The loader itself may have sent its callers away.
    if (audience.isDeserted) beDeserted(audience.reason)
    else audience.whenDeserted(beDeserted)
  })
}

/** What a run gives to its callers. */
export function loadedBy(
  { tags }: Run,
  { target, inside, settings: { schema } }: LoadRequest,
  mark: number,
  {
    value,
    shared,
    isAsItIs,
    createdAt,
    freshUntil,
  }: Pick<Loaded, 'value' | 'shared' | 'isAsItIs' | 'createdAt' | 'freshUntil'>,
): Loaded {
  const groups = groupsOf(target, tags)
  const isApart = inside?.holds
  const origin = { tier: 'loader', freshness: 'fresh' } as const
  return { value, shared, isApart, isAsItIs, ...origin, createdAt, freshUntil, schema, mark, groups }
}

/** What an error calls the value that was loaded. */
export function loadedValueOf({ key }: Target): string {
  return `the loaded value of ${shortened(key)}`
}

function nothingToKeep(key: string): TierCacheError {
  const message = `notModified: expected a value under ${shortened(key)} that could be kept (ctx.stale), got none`
  return new TierCacheError('ERR_NOTHING_TO_KEEP', message)
}

function shortened(key: string): string {
  return JSON.stringify(key.slice(0, 40))
}
