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
