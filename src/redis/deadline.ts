import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'

/**
 * The promise's own outcome, or `ERR_REDIS_TIMEOUT` after `ms`. What comes later is dropped, a rejection too: nothing
 * waits for Redis without a deadline, and nothing goes unhandled.
 */
export function withDeadline<T>(promise: Promise<T>, command: string, ms: number, clock: Clock): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      reject(lateAnswer(command, ms))
    })
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

/** What becomes of a command that is not answered in time. */
export function lateAnswer(command: string, ms: number): TierCacheError {
  return new TierCacheError('ERR_REDIS_TIMEOUT', `Redis did not answer ${command} within ${ms} ms`)
}
