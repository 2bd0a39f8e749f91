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
    const stop = whenAborted(signal, () => {
      reject(signal.reason)
      leave(signal.reason)
    })
    promise.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })
}

const actions = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Acts when a signal is aborted, at once when it is already, until told to stop. All who act on one signal share a
 * listener: Node warns of more than ten.
 */
function whenAborted(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act()
    return () => {}
  }
  let acts = actions.get(signal)
  if (!acts) {
    acts = new Set()
    actions.set(signal, acts)
    signal.addEventListener('abort', actAll, { once: true })
  }
  acts.add(act)
  return () => {
    if (!acts.delete(act) || acts.size > 0) return
    actions.delete(signal)
    signal.removeEventListener('abort', actAll)
  }
}

function actAll({ target }: Event): void {
  const signal = target as AbortSignal
  const acts = actions.get(signal) ?? []
  actions.delete(signal)
  for (const act of acts) act()
}
