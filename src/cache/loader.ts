import { checkTags } from '../entry/key.ts'
import { TierCacheError } from '../errors.ts'
import type { Duration } from '../options.ts'
import { readDuration } from '../options.ts'
import type { LoadSettings } from './options.ts'
import type { Parts, Target } from './parts.ts'

/** What a loader is given. */
export interface LoadContext {
  /** The key that is loaded. */
  readonly key: string
  /** Aborted when the load has taken `hardTimeout`. */
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

/** What a run of a loader came to. */
export interface Run {
  readonly value: unknown
  readonly loadMs: number
  readonly ttlMs: number | undefined
  readonly tags: readonly string[]
  /** Set when the loader said that its value must not be stored: what others do then. */
  readonly skippedFor: 'each' | 'next' | undefined
}

/** Runs the loader within its deadline. What it does after that is dropped. */
export async function runLoader(
  parts: Parts,
  target: Target,
  loader: Loader<unknown>,
  { hardTimeoutMs, tags: given }: LoadSettings,
): Promise<Run> {
  const { clock, counters, events } = parts
  const controller = new AbortController()
  let ttlMs: number | undefined
  let tags = given
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
  const startedAt = clock.now()
  counters.loadsRunning++
  const told = (error?: unknown) => {
    const ms = clock.now() - startedAt
    counters.loadsRunning--
    counters.loadTimings.add(ms)
    if (error !== undefined) counters.loadsFailed++
    const { namespace, key } = target
    events.tell('load', () => (error === undefined ? { namespace, key, ms } : { namespace, key, ms, error }))
    return ms
  }
  try {
    const value = await deadline(parts, target.key, hardTimeoutMs, controller, async () => loader(context))
    return { value, loadMs: told(), ttlMs, tags, skippedFor }
  } catch (error) {
    told(error ?? new Error('the loader failed without an error'))
    throw error
  }
}

/** The run's outcome, or its abortion after `ms`. */
function deadline<T>(
  parts: Parts,
  key: string,
  ms: number,
  controller: AbortController,
  run: () => Promise<T>,
): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return run()
  return new Promise<T>((resolve, reject) => {
    const cancel = parts.clock.after(ms, () => {
      const error = new TierCacheError(
        'ERR_LOAD_TIMEOUT',
        `the loader of ${JSON.stringify(key.slice(0, 40))} took more than ${ms} ms`,
      )
      controller.abort(error)
      reject(error)
    })
    run().then(resolve, reject).finally(cancel)
  })
}
