import type { RequestCounters } from '../counters/counters.ts'
import { Audience } from '../stampede/audience.ts'
import type { ManyLoader } from './batch-loader.ts'
import type { LoadSettings } from './call-options.ts'
import { Gathering } from './gathering.ts'
import type { HandedOut } from './get-or-load.ts'
import { getOrLoad } from './get-or-load.ts'
import { inChunks } from './in-chunks.ts'
import type { LoadRequest } from './load-request.ts'
import type { Parts, Target } from './parts.ts'

/** One load of many keys of one namespace, each of which is there once. */
export interface LoadManyRequest {
  readonly targets: readonly Target[]
  readonly loader: ManyLoader<unknown>
  readonly settings: LoadSettings
  readonly requests: RequestCounters
}

/**
 * The story of `getOrSetMany`: each key goes the way of `getOrSet`, and what they come to load is loaded at once. One
 * outcome for each key, in their order; whoever calls this sees to rejections at once, as `Promise.all` does.
 * `loadOne` is the story of each.
 */
export function getOrLoadMany(
  parts: Parts,
  { targets, loader, settings, requests }: LoadManyRequest,
  loadOne: (parts: Parts, request: LoadRequest) => Promise<HandedOut> = getOrLoad,
): Promise<HandedOut>[] {
  const gathering = new Gathering(loader, parts.clock)
  const placed = targets.map((target, index) => ({ target, place: gathering.place(index) }))
  const begin = ({ target, place }: (typeof placed)[number]) => {
    const audience = new Audience()
    const loaded = loadOne(parts, { target, loader: place.load, settings, requests, audience, purpose: 'read', place })
    const leave = () => place.leaves()
    loaded.then(leave, leave)
    return loaded
  }
  // A key that asks waits for all the others.
  return inChunks(placed, begin, ({ place }) => place.decided)
}
