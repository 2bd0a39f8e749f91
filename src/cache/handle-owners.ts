import { TierCacheError } from '../errors.ts'
import type { Parts } from './parts.ts'

/** Whether two functions that may be two are the same all the same. */
type Sameness = (one: unknown, other: unknown) => boolean

/** The very same one. */
export const isIdentical: Sameness = (one, other) => one === other

/**
 * The very same one, or one of the same source: made anew by each request, or by a module that was read twice. Of a bound one the
 * source is not known.
 */
export const isOfOneSource: Sameness = (one, other) => {
  if (one === other) return true
  if (typeof one !== 'function' || typeof other !== 'function') return false
  const source = String(one)
  return source === String(other) && !/\{\s*\[native code\]\s*\}\s*$/.test(source)
}

/** Notes who loads the values in a namespace. Throws `ERR_INVALID_ARGUMENT` when others do. */
export function noteOwners(
  { owners }: Parts,
  verb: 'define' | 'wrap',
  namespace: string,
  loaders: readonly unknown[],
  areSame: Sameness,
): void {
  const known = owners.get(namespace) ?? loaders
  if (known.length !== loaders.length || !known.every((each, index) => areSame(each, loaders[index]))) {
    throw new TierCacheError(
      'ERR_INVALID_ARGUMENT',
      `${verb}: expected a name of its own, got '${namespace}', where the values of another function are`,
    )
  }
  owners.set(namespace, known)
}
