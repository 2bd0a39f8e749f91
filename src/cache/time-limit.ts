import type { Clock } from '../clock.ts'

/** The promise's outcome, or `undefined` after `ms`. What the promise comes to after that is nobody's failure. */
export function within<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  return limited(promise, ms, (action) => clock.after(ms, action))
}

/** The same for what nobody waits for: it does not keep the process alive. */
export function withinInBackground<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  return limited(promise, ms, (action) => clock.inBackground(ms, action))
}

function limited<T>(
  promise: Promise<T>,
  ms: number,
  afterIt: (action: () => void) => () => void,
): Promise<T | undefined> {
  if (ms === Number.POSITIVE_INFINITY) return promise
  return new Promise((resolve, reject) => {
    const cancel = afterIt(() => resolve(undefined))
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

/**
 * The promise's outcome, or the signal's reason as soon as that is aborted; `leave` is told of it. What the promise comes
 * to after that is nobody's failure. No listener stays on the signal.
 */
export function untilAborted<T>(
  signal: AbortSignal | undefined,
  promise: Promise<T>,
  leave: (reason: unknown) => void,
): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason)
      leave(signal.reason)
    }
    const end = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(
      (value) => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
    // What the promise waits for may have aborted it on the way.
    if (!signal.aborted) return
    end()
    abort()
  })
}
