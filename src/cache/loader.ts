import { ageAt } from '../entry/freshness.ts'
import { checkTags } from '../entry/key.ts'
import { badValue, TierCacheError } from '../errors.ts'
import { readDuration } from '../options.ts'
import { groupsOf, handOut } from './near.ts'
import { loads, traced } from '../tracing.ts'
import type { FaceContext, LoadContext } from './load-context.ts'
import { whenAborted } from './load-context.ts'
import type { LoadRequest, Replaced } from './load-request.ts'
import type { Loaded, Parts, Target } from './parts.ts'
import type { Made } from './term.ts'
import { toldTags } from './told-tags.ts'
import { checkGiven } from './validity.ts'

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
      if (there) stale ??= { value: handOut(there.value, there.shared), age: ageAt(there.createdAt, startedAt) }
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
