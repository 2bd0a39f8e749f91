import { Audience } from '../stampede/audience.ts'
import type { LoadRequest } from './load-request.ts'
import type { Parts } from './parts.ts'
import type { Answer } from './read-through.ts'
import { noteRenewalFailed, renewThrough } from './read-through.ts'

/**
/**
 * The story of a stale hit: its caller has been served; a newer value is loaded behind it, once, and whoever leaves. Not for a
 * while where that has failed; `groups` are those of the value. Answers what it comes to, `undefined` for nothing newer; or
 * `undefined` when none is begun.
 */
export function renewBehind(
  parts: Parts,
  request: LoadRequest,
  groups: readonly string[],
): Promise<Answer | undefined> | undefined {
  const { renewing, loads, backOff } = parts
  const { id } = request.target
  if (backOff.holds(id, groups) || loads.joinable(id)) return undefined
  if (!renewing.begin(id, request.place?.batch ?? request)) return undefined
  const { place, loader, behind = loader } = request
  const renewal = {
    ...request,
    loader: behind,
    ...place?.behind(),
    purpose: 'renew',
    audience: new Audience(),
  } as const
  return renewThrough(parts, renewal)
    .then((answer) => {
      if (answer) backOff.end(id)
      return answer
    })
    .catch((error: unknown) => {
      noteRenewalFailed(parts, request.target, error)
      return undefined
    })
    .finally(() => {
      renewing.end(id)
      renewal.place?.leaves()
    })
}
