import { checkTags } from '../entry/key.ts'
import { TierCacheError } from '../errors.ts'
import type { RequestCounters } from '../events.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import type { LoadSettings } from './call-options.ts'
import type { Parts, Target } from './parts.ts'

/** What a loader is given. */
export interface LoadContext {
  /** The key that is loaded. */
  readonly key: string
  /** Aborted when the load has taken `hardTimeout`: nobody waits for it any more. */
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
  /** `read`: a stale value will do. `renew`: a stale value is what is to be replaced. */
  readonly purpose: 'read' | 'renew'
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

/** Told at the moment when a loader is past its deadline: with what it comes to all the same, and its callers' error. */
export type LateListener = (outcome: Promise<Run>, error: TierCacheError) => void

/** Runs the loader within its deadline. Without a `whenLate`, what it does after that is dropped. */
export async function runLoader(
  parts: Parts,
  { target, loader, settings }: LoadRequest,
  whenLate?: LateListener,
): Promise<Run> {
  const { clock, counters, events } = parts
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
    const value = await loader(context)
    return { value, loadMs: clock.now() - startedAt, ttlMs, tags, skippedFor }
  }
  const told = (error?: unknown) => {
    const ms = clock.now() - startedAt
    counters.loadsRunning--
    counters.loadTimings.add(ms)
    if (error !== undefined) counters.loadsFailed++
    const { namespace, key } = target
    events.tell('load', () => (error === undefined ? { namespace, key, ms } : { namespace, key, ms, error }))
  }
  counters.loadsRunning++
  try {
    const run = await inTime(parts, target.key, settings.hardTimeoutMs, controller, work, whenLate)
    told()
    return run
  } catch (error) {
    told(error ?? new Error('the loader failed without an error'))
    throw error
  }
}

/** The outcome of the work, or its abortion after `ms`. */
function inTime(
  { clock }: Parts,
  key: string,
  ms: number,
  controller: AbortController,
  work: () => Promise<Run>,
  whenLate: LateListener | undefined,
): Promise<Run> {
  if (ms === Number.POSITIVE_INFINITY) return work()
  return new Promise<Run>((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      const error = new TierCacheError(
        'ERR_LOAD_TIMEOUT',
        `the loader of ${JSON.stringify(key.slice(0, 40))} took more than ${ms} ms`,
      )
      whenLate?.(outcome, error)
      controller.abort(error)
      reject(error)
    })
    const outcome = work()
    outcome.then(resolve, reject).finally(cancel)
  })
}
