/** One process of `stampede`: `stampede-process.js <url of Redis> <callers>`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pack, unpack } from 'msgpackr'
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { machineNow } from '../harness/machine-clock.ts'
import { answerQuestions } from '../harness/program.ts'
import { productOf } from '../micro/records.ts'
import type { Product } from '../micro/records.ts'

/** What the callers of a process saw. */
export interface Called {
  /** From a caller's question to its answer, of the slowest. */
  readonly slowestMs: number
  /** What each load of this process took. */
  readonly loadsMs: readonly number[]
}

/** When a process that was woken had the answer of its GET, on the machine's clock. */
export interface Woken {
  readonly answeredAt: number
}

/** Nobody answers the bench while others are at work still. */
const QUIET_MS = 50

const [, , redisUrl = '', callers = ''] = process.argv
const product = productOf(1)
const cache = createCache({ redis: redisUrl })
await once(cache, 'connected')
const redis = new Redis(redisUrl)
const subscriber = new Redis(redisUrl)
await redis.set('bare', pack(product))
await subscriber.subscribe('bare')

answerQuestions({
  call,
  wake,
  publish,
  close: async () => {
    await cache.close()
    redis.disconnect()
    subscriber.disconnect()
  },
})

async function call(key: string, at: number, loaderMs: number): Promise<Called> {
  const loadsMs: number[] = []
  const load = async () => {
    const startedAt = machineNow()
    await sleep(loaderMs)
    loadsMs.push(machineNow() - startedAt)
    return product
  }
  await sleep(Math.max(0, at - machineNow()))
  const latencies = await askAtOnce(key, load)
  await sleep(QUIET_MS)
  return { slowestMs: Math.max(...latencies), loadsMs }
}

/** All callers ask for a key; answers how long each waited. */
function askAtOnce(key: string, load: () => Promise<Product>): Promise<number[]> {
  return Promise.all(
    Array.from({ length: Number(callers) }, async () => {
      const startedAt = machineNow()
      const { id } = await cache.getOrSet(key, load, { ttl: '1h' })
      if (id !== product.id) throw new Error('another value came')
      return machineNow() - startedAt
    }),
  )
}

async function wake(): Promise<Woken> {
  const answeredAt = await new Promise<number>((resolve, reject) => {
    subscriber.once('message', () => {
      redis.getBuffer('bare').then((bytes) => {
        if (bytes === null || unpack(bytes).id !== product.id) reject(new Error('another value came'))
        resolve(machineNow())
      }, reject)
    })
  })
  await sleep(QUIET_MS)
  return { answeredAt }
}

async function publish(): Promise<number> {
  const sentAt = machineNow()
  await redis.publish('bare', 'wake')
  await sleep(QUIET_MS)
  return sentAt
}
