import { checkTags } from '../entry/key.ts'
import { TierCacheError } from '../errors.ts'
import type { RequestCounters } from '../events.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import type { Audience } from '../stampede/audience.ts'
import type { LoadSettings } from './call-options.ts'
import { loads, traced } from '../tracing.ts'
import type { Parts, Target } from './parts.ts'

/** What a loader is given. */
export interface LoadContext {
  /** The key that is loaded. */
  readonly key: string
  /**
   * Aborted when nobody waits for the value any more: the load has taken `hardTimeout`, or the last of its callers has left
   * (their `signal`). What the loader answers all the same is stored, unless another load took its place. A load behind a
   * stale value goes on, whoever leaves.
   */
  readonly signal: AbortSignal
  /** Sets how long the value will be fresh, once it is known. Throws `ERR_INVALID_OPTION`. */
  setTtl(ttl: Duration): void
  /** Adds to the tags of the value, once they are known. Throws `ERR_INVALID_TAG`. */
  setTags(...tags: string[]): void
  /**
   * The returned value goes to the callers and is not stored. What the processes that wait for it do then: `each` loads
   * for itself, and for a second newcomers do not wait (the default); or the `next` of them loads for all.
   */
  skip(others?: 'each' | 'next'): void
}

/** Computes the value of a key. `undefined` is handed to the callers and not stored. */
export type Loader<T> = (context: LoadContext) => T | Promise<T>

/** One load, as its caller wants it. */
export interface LoadRequest {
  readonly target: Target
  readonly loader: Loader<unknown>
  readonly settings: LoadSettings
  readonly requests: RequestCounters
  /** Those who wait for it: its caller, and who joins the run that it begins. */
  readonly audience: Audience
  /** `read`: a stale value will do. `renew`: a stale value is what is to be replaced. */
  readonly purpose: 'read' | 'renew'
  /** Its place in a batch, if it is of one. */
  readonly place?: BatchPlace | undefined
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
export interface Run {
  readonly value: unknown
  readonly loadMs: number
  readonly ttlMs: number | undefined
  readonly tags: readonly string[]
  /** Set when the loader said that its value must not be stored: what others do then. */
  readonly skippedFor: 'each' | 'next' | undefined
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
  const { clock, counters, events } = parts
  const { target, loader, settings, audience } = request
  if (audience.isDeserted) throw audience.reason
  const controller = new AbortController()
  const startedAt = clock.now()
  let ttlMs: number | undefined
  let { tags } = settings
  let skippedFor: Run['skippedFor']
  const context: LoadContext = {
    key: target.key,
    signal: controller.signal,
    setTtl: (ttl) => {
      ttlMs = readDuration('ttl', ttl)
    },
    setTags: (...more) => {
      tags = checkTags([...tags, ...more])
    },
    skip: (others = 'each') => {
      skippedFor = others
    },
  }
  const work = async (): Promise<Run> => {
    const value = await tracedLoad(target, () => loader(context))
    return { value, loadMs: clock.now() - startedAt, ttlMs, tags, skippedFor }
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
    const run = await whileAwaited(parts, request, controller, work, outlived)
    told()
    return run
  } catch (error) {
    told(error ?? new Error('the loader failed without an error'))
    throw error
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
  controller: AbortController,
  work: () => Promise<Run>,
  outlived: Outlived | undefined,
): Promise<Run> {
  return new Promise<Run>((resolve, reject) => {
    const beLate = () => {
      audience.stay()
      const error = new TierCacheError(
        'ERR_LOAD_TIMEOUT',
        `the loader of ${JSON.stringify(key.slice(0, 40))} took more than ${ms} ms`,
      )
      outlived?.late(outcome, error)
      controller.abort(error)
      reject(error)
    }
    const beDeserted = (reason: unknown) => {
      cancel()
      outlived?.deserted(outcome)
      controller.abort(reason)
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
