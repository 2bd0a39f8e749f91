import { types } from 'node:util'
import { badValue } from '../errors.ts'
import type { Duration } from '../options.ts'
import type { LoadContext } from './load-context.ts'
import { tellTags } from './told-tags.ts'

/** What a loader of many keys is given. */
export interface LoadManyContext {
  /**
   * Aborted when nobody waits any more for any of these keys: the load has taken `hardTimeout`, or the last of its callers has
   * left (their `signal`). See {@link LoadContext.signal}.
   */
  readonly signal: AbortSignal
  /** What is to be replaced under this key, where there is something. See {@link LoadContext.stale}. */
  stale<T = unknown>(key: string): { readonly value: T; readonly age: number } | undefined
  /**
   * The value of this key that `stale` answers is still right: it is kept, whatever the loader returns for the key. See
   * {@link LoadContext.notModified}. Throws `ERR_NOTHING_TO_KEEP` where there is no such value.
   */
  notModified(key: string): void
  /** Sets how long the value of this key will be fresh, once it is known. Throws `ERR_INVALID_OPTION`. */
  setTtl(key: string, ttl: Duration): void
  /** Sets for how long past its ttl the value of this key may be served. Throws `ERR_INVALID_OPTION`. */
  setStale(key: string, stale: Duration): void
  /** Adds to the tags of the value of this key, once they are known. Throws `ERR_INVALID_TAG`. */
  setTags(key: string, ...tags: string[]): void
  /** The value of this key goes to the callers and is not stored. See {@link LoadContext.skip}. */
  skip(key: string, others?: 'each' | 'next'): void
}

/** Values by their keys: a Map, or a plain object. */
export type ManyValues<T> = ReadonlyMap<string, T> | { readonly [key: string]: T }

/**
 * Computes the values of all keys that are missing, in the order of the call, at once. What it does not return, and what is `undefined`, is missing
 * for the callers too, and not stored. What it returns beyond the keys that it was asked for is ignored, and so is what it
 * says of them to its context.
 */
export type ManyLoader<T> = (
  missing: readonly string[],
  context: LoadManyContext,
) => ManyValues<T> | Promise<ManyValues<T>>

/**
 * Runs a loader for the keys of these contexts. Answers what it says of each. Rejects with its error, or with
 * `ERR_INVALID_LOADER_RESULT`.
 */
export async function runBatchLoader(
  loader: ManyLoader<unknown>,
  contexts: ReadonlyMap<string, LoadContext>,
): Promise<(key: string) => unknown> {
  return readValues(await loader([...contexts.keys()], contextOfAll(contexts)))
}

/** The contexts of each key, of those for a batch. */
const contextOf = new WeakMap<LoadManyContext, (key: string) => LoadContext | undefined>()

/** Has the tags of the value of a key told from it, once it has passed its schema. */
export function tellTagsOf(context: LoadManyContext, key: string, tell: (value: unknown) => unknown): void {
  const own = contextOf.get(context)?.(key)
  if (own) tellTags(own, tell)
}

function contextOfAll(contexts: ReadonlyMap<string, LoadContext>): LoadManyContext {
  let signal: AbortSignal | undefined
  const of = (key: string) => {
    if (typeof key !== 'string') throw badValue('ERR_INVALID_ARGUMENT', 'key', 'a string', key)
    return contexts.get(key)
  }
  const all: LoadManyContext = {
    get signal() {
      signal ??= signalOfAll([...contexts.values()])
      return signal
    },
    stale: <T>(key: string) => of(key)?.stale as { readonly value: T; readonly age: number } | undefined,
    notModified: (key) => {
      of(key)?.notModified()
    },
    setTtl: (key, ttl) => of(key)?.setTtl(ttl),
    setStale: (key, stale) => of(key)?.setStale(stale),
    setTags: (key, ...tags) => of(key)?.setTags(...tags),
    skip: (key, others) => of(key)?.skip(others),
  }
  contextOf.set(all, of)
  return all
}

/** Aborted when all are, with the reason of the last. */
function signalOfAll(contexts: readonly LoadContext[]): AbortSignal {
  const controller = new AbortController()
  let waiting = contexts.length
  for (const { signal } of contexts) {
    const aborted = () => {
      waiting--
      if (waiting === 0) controller.abort(signal.reason)
    }
    if (signal.aborted) aborted()
    else signal.addEventListener('abort', aborted, { once: true })
  }
  return controller.signal
}

function readValues(values: unknown): (key: string) => unknown {
  if (types.isMap(values)) {
    for (const key of values.keys()) {
      if (typeof key !== 'string') throw badResult('a Map whose keys are strings', key)
    }
    return (key) => values.get(key)
  }
  if (!isPlain(values)) throw badResult('a Map or a plain object, of values by their keys', values)
  return (key) => (Object.hasOwn(values, key) ? values[key] : undefined)
}

function badResult(expected: string, got: unknown) {
  return badValue('ERR_INVALID_LOADER_RESULT', 'the result of a loader of many keys', expected, got)
}

/** Whether it is an object as braces make it, of whatever realm. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
