import { badValue } from '../errors.ts'
import { Audience } from '../stampede/audience.ts'
import { getOrSetManyCalls, tracedEach } from '../tracing.ts'
import type { ManyLoader } from './batch-loader.ts'
import type { LoadOptions } from './call-options.ts'
import { readLoadOptions } from './call-options.ts'
import type { HandedOut } from './get-or-load.ts'
import { getOrLoad } from './get-or-load.ts'
import { getOrLoadMany } from './get-or-load-many.ts'
import { loadInside, loadManyInside } from './inside-transaction.ts'
import type { Loader } from './load-context.ts'
import type { Namespace } from './namespace.ts'
import type { Target } from './parts.ts'

/** The verbs that load: each is one story outside of a transaction, and another one inside. */

/** The value of a key. Rejects for a bad one, a loader that is none, or bad options. */
export function loadOne(
  space: Namespace,
  key: string,
  loader: Loader<unknown, never>,
  options: LoadOptions | undefined,
): Promise<HandedOut> {
  try {
    const target = space.target(key)
    checkLoader(loader)
    const { parts, defaults, requests } = space
    const settings = space.kept(readLoadOptions('getOrSet', options, defaults))
    const audience = new Audience()
    const asked = loader as Loader<unknown>
    const request = { target, loader: asked, settings, requests, audience, purpose: 'read' } as const
    const transaction = parts.transactions.current()
    return parts.life.attend(transaction ? loadInside(parts, transaction, request) : getOrLoad(parts, request))
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

/** One outcome for each key, in their order; whoever calls this sees to rejections at once. Throws for bad options. */
export function loadEach(
  space: Namespace,
  targets: readonly Target[],
  loader: ManyLoader<unknown>,
  options: LoadOptions | undefined,
): Promise<HandedOut>[] {
  const { parts, defaults, requests } = space
  const settings = space.kept(readLoadOptions('getOrSetMany', options, defaults))
  const request = { targets, loader, settings, requests }
  const transaction = parts.transactions.current()
  return transaction ? loadManyInside(parts, transaction, request) : getOrLoadMany(parts, request)
}

/** As {@link loadEach}, with the values alone. Throws for bad keys, too. */
export function loadEachValue(
  space: Namespace,
  keys: readonly string[],
  loader: ManyLoader<unknown>,
  options: LoadOptions | undefined,
): Promise<unknown>[] {
  const targets = keys.map((key) => space.target(key))
  const loadedBy = async (load: Promise<HandedOut>) => (await load).loaded.value
  const begin = () => loadEach(space, targets, loader, options).map((load) => space.parts.life.attend(loadedBy(load)))
  if (!getOrSetManyCalls.hasSubscribers) return begin()
  return tracedEach(getOrSetManyCalls, { namespace: space.name, keys }, begin)
}

/** Throws `ERR_INVALID_ARGUMENT` for what cannot be called. */
export function checkLoader(loader: unknown): void {
  if (typeof loader !== 'function') throw badValue('ERR_INVALID_ARGUMENT', 'loader', 'a function', loader)
}
