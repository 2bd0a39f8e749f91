/** One process of `invalidate-lag`: `invalidate-lag-process.js '<tiercache|bare> <teller|listener>' <url of Redis>`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { machineNow } from '../harness/machine-clock.ts'
import { answerQuestions } from '../harness/program.ts'
import { seeded } from '../harness/random.ts'
import { productOf } from '../micro/records.ts'

type Answers = Parameters<typeof answerQuestions>[0]

/** As long as a notice about such a key. */
const MESSAGE = 'x'.repeat(110)

const roles: Readonly<Record<string, (redisUrl: string) => Promise<Answers>>> = {
  'tiercache teller': async (redisUrl) => {
    const cache = createCache({ redis: redisUrl })
    await once(cache, 'connected')
    // From now on there is a chain of notices, whose first link every listener finds.
    await cache.delete('(begin)')
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

  'tiercache listener': async (redisUrl) => {
    const connection = new Subscribing(redisUrl)
    const cache = createCache({ redis: connection })
    await once(cache, 'gap')
    let awaited: readonly string[] = []
    let heardAt: number[] = []
    // Called after the cache's own listener, in the same turn.
    connection.subscriber?.on('message', () => {
      for (;;) {
        const key = awaited[heardAt.length]
        if (key === undefined || cache.peek(key) !== undefined) return
        heardAt.push(machineNow())
      }
    })
    return {
      prepare: async (keys: readonly string[]) => {
        awaited = []
        for (const key of keys) await cache.get(key)
        if (keys.some((key) => cache.peek(key) === undefined)) throw new Error('L1 is not warm')
        collectGarbage()
        heardAt = []
        awaited = keys
      },
      heard: () => heardAt,
    }
  },

  'bare teller': async (redisUrl) => {
    const redis = new Redis(redisUrl)
    return {
      prepare: collectGarbage,
      tell: (keys: readonly string[]) => telling(keys, () => redis.publish('bare', MESSAGE)),
    }
  },

  'bare listener': async (redisUrl) => {
    const subscriber = new Redis(redisUrl)
    let heardAt: number[] = []
    subscriber.on('message', () => heardAt.push(machineNow()))
    await subscriber.subscribe('bare')
    return {
      prepare: () => {
        collectGarbage()
        heardAt = []
      },
      heard: () => heardAt,
    }
  },
}

/** A connection that shows the subscriber which a cache makes of it. */
class Subscribing extends Redis {
  subscriber: Redis | undefined

  override duplicate(...options: Parameters<Redis['duplicate']>): Redis {
    this.subscriber = super.duplicate(...options)
    return this.subscriber
  }
}

const random = seeded(1)

/** Tells one change after the other, with some idle time in between; answers when each was told, on the machine's clock. */
async function telling(keys: readonly string[], tell: (key: string) => Promise<unknown>): Promise<number[]> {
  const toldAt: number[] = []
  for (const key of keys) {
    await sleep(2 + 4 * random())
    toldAt.push(machineNow())
    await tell(key)
  }
  return toldAt
}

const [, , role = '', redisUrl = ''] = process.argv
const open = roles[role]
if (!open) throw new Error(`there is no ${role}`)
answerQuestions(await open(redisUrl))
