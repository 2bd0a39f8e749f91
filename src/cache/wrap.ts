import type { ChangeOptions } from './call-options.ts'
import type { Handle } from './handle.ts'
import type { AnyFunction, Call } from './handle-options.ts'
import type { Outcome } from './write-through.ts'

/** What a wrapped function has beside its call. */
export interface WrappedResults<Args extends readonly unknown[], T> {
  /** Makes the result for these arguments gone everywhere. */
  invalidate(...args: Args): Promise<Outcome>
  /** Makes the result for these arguments stale everywhere. */
  expire(...args: Args): Promise<Outcome>
  /** The fresh result for these arguments in L1, at once. */
  peek(...args: Args): T | undefined
  /** Makes all results of the function gone everywhere, in one step. */
  clear(options?: ChangeOptions): Promise<Outcome>
}

/** Any function that answers a promise. */
export type AsyncFunction = (...args: never[]) => Promise<unknown>

/** A function of the same type as another one, whose results are cached. */
export type Wrapped<F extends AsyncFunction> = F & WrappedResults<Parameters<F>, Awaited<ReturnType<F>>>

/** Makes a function of the handle of its results. */
export function wrapped<T>(fn: AnyFunction, handle: Handle<Call, T>): (...args: unknown[]) => Promise<T> {
  function call(this: unknown, ...args: unknown[]): Promise<T> {
    return handle.get({ self: this, args })
  }
  const of = (args: unknown[]): Call => ({ self: undefined, args })
  const results: WrappedResults<unknown[], T> = {
    invalidate: (...args) => handle.delete(of(args)),
    expire: (...args) => handle.expire(of(args)),
    peek: (...args) => handle.peek(of(args)),
    clear: (options) => handle.clear(options),
  }
  Object.defineProperty(call, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(call, 'length', { value: fn.length, configurable: true })
  return Object.assign(call, results)
}
