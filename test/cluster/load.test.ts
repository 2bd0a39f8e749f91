import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClusterFailover } from '../doubles/redis-cluster.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Member } from './fleet.ts'
import { BUCKETS, keyOf, onCluster, slot } from './fleet.ts'

const fleet = onCluster()

const KEYS = Array.from({ length: 2 * BUCKETS }, (_, nth) => keyOf(nth % BUCKETS, `k${nth}`))
const DEADLINE_MS = 250

const rejections: unknown[] = []
const note = (reason: unknown) => void rejections.push(reason)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(() => void process.off('unhandledRejection', note))

/** Two caches, and what is true; each key is changed by one of the two, and read by both. */
class Shop {
  readonly truth = new Map<string, number>(KEYS.map((key) => [key, 0]))
  readonly members: readonly Member[]
  calls = 0
  #isOpen = true
  #runs: Promise<void>[] = []

  constructor(members: readonly Member[]) {
    this.members = members
    for (const [nth, key] of KEYS.entries()) {
      const writer = members[nth % members.length] as Member
      this.#runs.push(this.#write(writer, key, nth))
      for (const reader of members) this.#runs.push(this.#read(reader, key))
    }
  }

  async #write({ cache }: Member, key: string, nth: number): Promise<void> {
    const ways = [
      (value: number) => cache.set(key, value, { tags: [key] }),
      () => cache.delete(key),
      () => cache.invalidateTags(key),
    ]
    while (this.#isOpen) {
      const value = (this.truth.get(key) as number) + 1
      this.truth.set(key, value)
      await this.#counted(() => (ways[(value + nth) % ways.length] as (value: number) => Promise<unknown>)(value))
      await breath()
    }
  }

  async #read({ cache }: Member, key: string): Promise<void> {
    while (this.#isOpen) {
      await this.#counted(() => cache.getOrSet(key, () => this.truth.get(key), { tags: [key] }))
      await breath()
    }
  }

  async #counted(call: () => Promise<unknown>): Promise<void> {
    await call()
    this.calls++
  }

  /** Ends the load, and looks: all agree with the truth, from L1 too, and have nothing left to repeat. */
  async close(): Promise<void> {
    this.#isOpen = false
    await Promise.all(this.#runs)
    for (const { cache, of } of this.members) {
      await expect
        .poll(() => cache.gauges(), { timeout: 20_000 })
        .toMatchObject({ journalled: 0, coherent: true, l2Usable: true })
      for (const [key, value] of this.truth) {
        const everywhere = async () => [await cache.getOrSet(key, () => value), cache.peek(key)]
        await expect.poll(everywhere, { timeout: 5000 }).toEqual([value, value])
      }
      expect(of('l2-error').filter(({ message }) => /CROSSSLOT/.test(String(message)))).toEqual([])
    }
    expect(this.calls).toBeGreaterThan(KEYS.length)
    expect(rejections).toEqual([])
  }
}

/** Between two calls of one visitor. */
const breath = () => new Promise((resolve) => setTimeout(resolve, 10))

async function open(): Promise<Shop> {
  const join = () => fleet.join({ commandTimeout: DEADLINE_MS, lease: '1s', maxStaleness: '1s' })
  return new Shop([await join(), await join()])
}

test.each<ClusterFailover>(['kill', 'freeze', 'takeover'])(
  'a failover under load, which loses writes: %s',
  async (how) => {
    const shop = await open()
    const [master] = (await fleet.cluster.masters()) as [RedisServer]
    await fleet.cluster.cutReplication(master)
    const before = shop.calls
    await expect.poll(() => shop.calls, { timeout: 5000 }).toBeGreaterThan(before + 4 * KEYS.length)
    await fleet.cluster.failover(master, how)
    if (how === 'kill') await master.restart()
    if (how === 'freeze') master.thaw()
    await fleet.cluster.rejoined(master)
    await shop.close()
  },
)

test('slots move there and back under load', async () => {
  const shop = await open()
  const [from, to] = (await fleet.cluster.masters()) as [RedisServer, RedisServer]
  const slots = (await fleet.bucketsOf(from)).slice(0, 2).map(slot)
  const more = async () => {
    const before = shop.calls
    await expect.poll(() => shop.calls, { timeout: 5000 }).toBeGreaterThan(before + 2 * KEYS.length)
  }
  await fleet.cluster.moveSlots(slots, from, to, more)
  await more()
  await fleet.cluster.moveSlots(slots, to, from, more)
  await shop.close()
  for (const { of } of shop.members) expect(of('resync')).toEqual([])
})
