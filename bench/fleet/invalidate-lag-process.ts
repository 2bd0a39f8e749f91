/** One process of `invalidate-lag`: `invalidate-lag-process.js '<kind> <teller|listener>' <where Redis is, as JSON>`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { machineNow } from '../harness/machine-clock.ts'
import { answerQuestions } from '../harness/program.ts'
import { seeded } from '../harness/random.ts'
import { productOf } from '../micro/records.ts'
import type { Cache } from 'tiercache'

/** Where Redis is: a URL, or the masters of a Cluster. */
export type Place = string | { readonly cluster: readonly { readonly host: string; readonly port: number }[] }

type Answers = Parameters<typeof answerQuestions>[0]

/** As long as a notice about such a key. */
const MESSAGE = 'x'.repeat(110)

/** Channels of the bare messages on a Cluster: as many as a cache has. */
const CHANNELS = Array.from({ length: 32 }, (_, index) => `bare:{${index}}`)

const roles: Readonly<Record<string, (place: Place) => Promise<Answers>>> = {
  'tiercache teller': async (place) => {
    const cache = createCache({ redis: place })
    await once(cache, 'connected')
    // From now on there is a chain of notices in every bucket, whose first link every listener finds.
    await cache.clear()
    return {
      prepare: async (keys: readonly string[]) => {
        for (const [id, key] of keys.entries()) await cache.set(key, productOf(id), { ttl: '1h' })
        collectGarbage()
      },
      tell: (keys: readonly string[]) =>
        telling(keys, async (key) => {
          const { acknowledged } = await cache.delete(key)
          if (!acknowledged) throw new Error('a deletion was not acknowledged')
        }),
    }
  },

  'tiercache listener': async (place) => {
    const connections = connectionsMade()
    const cache = createCache({ redis: place })
    await once(cache, 'connected')
    let awaited: readonly string[] = []
    let heardAt: number[] = []
    // Called after the cache's own listener, in the same turn.
    const look = () => {
      for (;;) {
        const key = awaited[heardAt.length]
        if (key === undefined || cache.peek(key) !== undefined) return
        heardAt.push(machineNow())
      }
    }
    return {
      prepare: async (keys: readonly string[]) => {
        awaited = []
        for (const connection of connections.splice(0)) connection.on('message', look).on('smessage', look)
        await warm(cache, keys)
        collectGarbage()
        heardAt = []
        awaited = keys
      },
      heard: () => heardAt,
    }
  },

  'bare teller': async (place) => {
    const redis = new Redis(place as string)
    return {
      prepare: collectGarbage,
      tell: (keys: readonly string[]) => telling(keys, () => redis.publish('bare', MESSAGE)),
    }
  },

  'bare listener': async (place) => {
    const subscriber = new Redis(place as string)
    const answers = hearing((heard) => subscriber.on('message', heard))
    await subscriber.subscribe('bare')
    return answers
  },

  'bare sharded teller': async (place) => {
    const cluster = new Cluster([...nodesOf(place)])
    await cluster.ping()
    return {
      prepare: collectGarbage,
      tell: (keys: readonly string[]) =>
        telling(keys, (_, index) => cluster.spublish(CHANNELS[index % CHANNELS.length] as string, MESSAGE)),
    }
  },

  'bare sharded listener': async (place) => {
    const subscribers = nodesOf(place).map((node) => new Redis(node))
    const answers = hearing((heard) => {
      for (const subscriber of subscribers) subscriber.on('smessage', heard)
    })
    const masters = new Map(subscribers.map((each) => [each.options.port, each]))
    for (const channel of CHANNELS)
      await masters.get(await portOf(channel, subscribers[0] as Redis))?.ssubscribe(channel)
    return answers
  },
}

function nodesOf(place: Place): readonly { readonly host: string; readonly port: number }[] {
  if (typeof place === 'string') throw new Error('a Cluster was expected')
  return place.cluster
}

/** The port of the master that has the slot of a channel. */
async function portOf(channel: string, anyone: Redis): Promise<number> {
  const slot = Number(await anyone.cluster('KEYSLOT', channel))
  const ranges = await anyone.cluster('SLOTS')
  const range = ranges.find(([start, end]) => start <= slot && slot <= end)
  const [, port] = range?.[2] ?? []
  if (port === undefined) throw new Error(`nobody holds slot ${slot}`)
  return port
}

/** Notes when messages are heard, on the machine's clock. */
function hearing(listen: (heard: () => void) => void): Answers {
  let heardAt: number[] = []
  listen(() => heardAt.push(machineNow()))
  return {
    prepare: () => {
      collectGarbage()
      heardAt = []
    },
    heard: () => heardAt,
  }
}

/** The connections that are made of others from now on, as a cache makes its subscribers. */
function connectionsMade(): Redis[] {
  const made: Redis[] = []
  const { duplicate } = Redis.prototype
  Redis.prototype.duplicate = function (this: Redis, ...options: Parameters<Redis['duplicate']>) {
    const connection = duplicate.apply(this, options)
    made.push(connection)
    return connection
  }
  return made
}

/** Brings keys into L1. What was first heard of a bucket a moment ago is proven to be current a little later. */
async function warm(cache: Cache, keys: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    for (const key of keys) if (cache.peek(key) === undefined) await cache.get(key)
    if (keys.every((key) => cache.peek(key) !== undefined)) return
    await sleep(50)
  }
  throw new Error('L1 is not warm')
}

const random = seeded(1)

/** Tells one change after the other, with some idle time in between; answers when each was told, on the machine's clock. */
async function telling(
  keys: readonly string[],
  tell: (key: string, index: number) => Promise<unknown>,
): Promise<number[]> {
  const toldAt: number[] = []
  for (const [index, key] of keys.entries()) {
    await sleep(2 + 4 * random())
    toldAt.push(machineNow())
    await tell(key, index)
  }
  return toldAt
}

const [, , role = '', place = ''] = process.argv
const open = roles[role]
if (!open) throw new Error(`there is no ${role}`)
answerQuestions(await open(JSON.parse(place) as Place))
