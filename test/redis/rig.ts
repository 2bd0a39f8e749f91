import { Redis } from 'ioredis'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import type { Notice } from '../../src/entry/notice.ts'
import { readNotice } from '../../src/entry/notice.ts'
import type { CacheEventName } from '../../src/events.ts'
import { Counters } from '../../src/counters/counters.ts'
import { Events } from '../../src/events.ts'
import type { Bucket } from '../../src/redis/bucket.ts'
import { RedisClient } from '../../src/redis/client.ts'
import type { Server } from '../../src/redis/server.ts'
import type { RedisSource } from '../../src/redis/source.ts'

/** A client of ours, with everything that it told. */
export interface Rig {
  readonly client: RedisClient
  /** Its first bucket, and the server that holds it. */
  readonly bucket: Bucket
  readonly server: Server
  readonly events: Events
  readonly counters: Counters
  /** Names and contents of all events, in their order. */
  readonly told: [name: CacheEventName, event: unknown][]
  /** The events of one name. */
  of(name: CacheEventName): unknown[]
  /** Resolves when all of the client can be used: at once when it can. */
  connected(): Promise<void>
}

const NAMES: readonly CacheEventName[] = ['warning', 'connected', 'disconnected', 'breaker', 'l2-error']

interface RigOptions {
  readonly commandTimeoutMs?: number
  readonly prefix?: string
  readonly clock?: Clock
  readonly scripts?: readonly string[]
  /** How many buckets there are on a Cluster; 1 by default. */
  readonly clusterBuckets?: number
}

/** Makes a client. A machine under load answers late, so the deadline is a long one unless a test is about it. */
export function rigOf(
  source: RedisSource | Redis,
  { commandTimeoutMs = 5000, prefix = 'tc', clock = systemClock, scripts = [], clusterBuckets = 1 }: RigOptions = {},
): Rig {
  const events = new Events()
  const counters = new Counters()
  const told: Rig['told'] = []
  for (const name of NAMES) events.on(name, (event) => void told.push([name, event]))
  const client = new RedisClient(
    { source: source as RedisSource, commandTimeoutMs, prefix, clusterBuckets, scripts },
    clock,
    events,
    counters,
  )
  const bucket = client.buckets[0] as Bucket
  return {
    client,
    bucket,
    get server() {
      return bucket.server as Server
    },
    events,
    counters,
    told,
    of: (name) => told.filter(([each]) => each === name).map(([, event]) => event),
    connected: () => new Promise((resolve) => client.whenUsable(() => client.usable && resolve())),
  }
}

/** What is said on a channel. */
export interface Ear {
  readonly messages: string[]
  /** All messages so far as notices. What is published before the call is among them: Redis answers in order. */
  notices(): Promise<(Notice | undefined)[]>
  close(): void
}

export async function listenOn(url: string, channel: string): Promise<Ear> {
  const subscriber = new Redis(url)
  const messages: string[] = []
  subscriber.on('message', (_channel, text) => void messages.push(text))
  await subscriber.subscribe(channel)
  return {
    messages,
    async notices() {
      await subscriber.ping()
      return messages.map(readNotice)
    },
    close: () => subscriber.disconnect(),
  }
}
