import { fork } from 'node:child_process'
import { once } from 'node:events'
import request from 'supertest'
import { answerCall } from '../../examples/express-app/src/remote-database.ts'
import type { Database } from '../../examples/express-app/src/database.ts'
import type { Call } from '../../examples/express-app/src/remote-database.ts'

/** What a copy says: where it listens, then its calls to the database. */
export type FromCopy = { readonly url: string } | Call

/** What a copy showed of the product. */
export interface Shown {
  readonly price: number
  /** `data`: a page newly made of what the cache holds. */
  readonly from: 'L1' | 'L2' | 'data' | 'the database'
  /** When it was asked. On the clock of `performance.now()`, as all instants here. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A copy of the example shop in a process of its own, as its visitors see it: those who look at one product. */
export interface ShopCopy {
  look(): Promise<Shown>
  setPrice(price: number): Promise<{ readonly acknowledged: boolean; readonly answeredAt: number }>
  stop(): Promise<void>
}

/** Starts a copy that reaches Redis at `redisUrl`, and asks `database` through this process. */
export async function startCopy(redisUrl: string, database: Database): Promise<ShopCopy> {
  // What this process was started with is nothing to the copy. Each outage is a warning, which is expected here.
  const child = fork(new URL('./shop-copy.program.js', import.meta.url), [redisUrl], { execArgv: ['--no-warnings'] })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`a copy of the shop ended with ${signal ?? code}`)))
    child.on('message', async (message: FromCopy) => {
      if ('url' in message) return resolve(message.url)
      const reply = await answerCall(database, message)
      if (child.connected) child.send(reply)
    })
  })
  // The name that a load balancer in front of all copies would pass on: pages of one host are the same for all copies.
  const host = 'shop.example'
  return {
    async look() {
      const askedAt = performance.now()
      const { body, headers } = await request(url).get('/products/7').set('Host', host).expect(200)
      return { price: body.price, from: sourceOf(headers), askedAt, answeredAt: performance.now() }
    },
    async setPrice(price) {
      const { body } = await request(url).put('/products/7/price').set('Host', host).send({ price }).expect(200)
      return { acknowledged: body.acknowledged, answeredAt: performance.now() }
    },
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

function sourceOf(headers: Record<string, string>): Shown['from'] {
  const [, tier] = /; hit;.*detail=(L1|L2)/.exec(headers['cache-status'] ?? '') ?? []
  if (tier) return tier as 'L1' | 'L2'
  return headers['server-timing']?.startsWith('db;dur=0.0,') ? 'data' : 'the database'
}
