import { bucketOf, localId } from '../../src/entry/key.ts'
import type { Database } from './database.ts'
import type { Member } from './fleet.ts'
import type { ModelKey } from './operations.ts'
import type { Recorder } from './recorder.ts'
import { STALENESS_MS } from './recorder.ts'
import { modelKey } from './run.ts'
import { CLUSTER_BUCKETS } from './servers.ts'

/** A schedule, forced. */
export type Scenario = (stage: Stage) => Promise<void>

/** Three processes, and what is done with them. No other scenario uses these keys. */
export interface Stage {
  readonly recorder: Recorder
  readonly database: Database
  readonly a: Member
  readonly b: Member
  readonly c: Member
  readonly keys: Keys
}

export interface Keys {
  readonly key: ModelKey
  /** In the same bucket. */
  readonly others: readonly ModelKey[]
  /** Two of one tag. */
  readonly tagged: ModelKey
  readonly alsoTagged: ModelKey
}

/** Beyond the bound on staleness. */
export const BEYOND_MS = STALENESS_MS + 100
/** How long something that was sent takes to arrive. */
export const ARRIVAL_MS = 40
/** Two beats, and some. */
export const PROOF_MS = STALENESS_MS / 2

/** As long as a namespace may be. */
const NAMESPACE_MOST = 64

/** The keys of a scenario have its name as their namespace, so that a violation tells where it was. */
export function keysOf(name: string): Keys {
  const namespace = name.replaceAll(/\W+/g, '-').slice(0, NAMESPACE_MOST)
  const key = modelKey(namespace, 'key')
  const others: ModelKey[] = []
  for (let number = 1; others.length < 3; number++) {
    const other = modelKey(namespace, `other${number}`)
    if (bucketIn(other) === bucketIn(key)) others.push(other)
  }
  return {
    key,
    others,
    tagged: modelKey(namespace, 'tagged', [namespace]),
    alsoTagged: modelKey(namespace, 'alsoTagged', [namespace]),
  }
}

/** The bucket of a key on a Cluster. */
export function bucketIn({ namespace, key }: ModelKey): number {
  return bucketOf(localId(namespace, key), CLUSTER_BUCKETS)
}

export function listOf({ key, others, tagged, alsoTagged }: Keys): readonly ModelKey[] {
  return [key, ...others, tagged, alsoTagged]
}
