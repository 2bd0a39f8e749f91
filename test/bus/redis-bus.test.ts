import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { RedisBus } from '../../src/bus/redis-bus.ts'
import { RedisNames } from '../../src/entry/key.ts'
import { noticeBody, wakeUp } from '../../src/entry/notice.ts'
import { scripts } from '../../src/redis/lua.generated.ts'
import { Hearing } from '../conformance/bus.suite.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import { rigOf } from '../redis/rig.ts'
import type { BusListener } from '../../src/bus/bus.ts'
import type { RedisServer } from '../doubles/redis.ts'

/** Being current is proven every fifth of it. */
const BOUND_MS = 1000
const BEAT_MS = BOUND_MS / 5
const names = new RedisNames('tc', 0)
let server: RedisServer
let redis: Redis
const cleanUps: (() => unknown)[] = []

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(() => redis.flushall())
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

let tips = 0
const nextTip = () => (++tips).toString(16).padStart(16, '0')

/** The arguments of a change by a script, as another process would send it. */
function change(origin: string, operation: 'D' | 'X', subject: string): [string, number, ...string[]] {
  const body = noticeBody(operation, origin, subject)
  if (operation === 'D') {
    return [
      scripts['invalidate-3'].lua,
      3,
      `tc:{0}:v:${subject}`,
      `tc:{0}:l:${subject}`,
      names.chain,
      `PUBLISH ${names.channel}`,
      nextTip(),
      body,
    ]
  }
  return [
    scripts['invalidate-group-2'].lua,
    2,
    names.clearStamp(subject),
    names.chain,
    `PUBLISH ${names.channel}`,
    nextTip(),
    body,
    '7',
    '1000',
  ]
}

const publish = async (origin: string, operation: 'D' | 'X', subject: string) => {
  await redis.eval(...change(origin, operation, subject))
}

/** A bus whose beats happen when its clock is moved, and whose deadlines pass only then. */
async function open(
  listener: BusListener,
  { origin = 'here', source }: { origin?: string; source?: Parameters<typeof rigOf>[0] } = {},
) {
  const clock = new FakeClock()
  const rig = rigOf(source ?? server.url, { clock })
  const bus = new RedisBus(rig.client, { origin, maxStalenessMs: BOUND_MS }, clock)
  bus.subscribe(listener)
  const close = () => {
    bus.close()
    rig.client.close()
  }
  cleanUps.push(close)
  await rig.connected()
  const { subscriber } = rig.server
  const subscribed = () =>
    vi.waitFor(async () => expect(await redis.pubsub('NUMSUB', names.channel)).not.toEqual([names.channel, 0]), {
      timeout: 10_000,
    })
  /** Lets a beat that is under way come to its end: Redis answers in order, and the clock lets nothing time out. */
  const settled = async () => {
    await rig.bucket.run('PING', (redis) => redis.call('PING'))
    await new Promise(setImmediate)
    await subscriber.ping()
    await new Promise(setImmediate)
  }
  /** One beat, from its start to its end. */
  const beat = async () => {
    await settled()
    clock.advance(BEAT_MS)
    await settled()
  }
  /** Beats until one of them proves that everything was heard. */
  const proven = async () => {
    const from = clock.now()
    await vi.waitFor(
      async () => {
        await beat()
        expect(bus.currency(0).verifiedAt).toBeGreaterThanOrEqual(from)
      },
      { timeout: 10_000, interval: 10 },
    )
  }
  await subscribed()
  return { bus, clock, close, beat, settled, proven, subscribed, subscriber, rig }
}

/** A bus that knows the chain and has proven to be current. */
async function current(options?: Parameters<typeof open>[1]) {
  const hearing = new Hearing()
  await publish('third', 'D', '_:first')
  const opened = await open(hearing, options)
  await opened.proven()
  expect(hearing.gaps).toEqual(['the head of the chain was not heard'])
  hearing.gaps.length = 0
  // A gap that comes sooner after another waits.
  await opened.beat()
  return { ...opened, hearing }
}

describe('a proof', () => {
  test('is as old as the reading of the chain, and comes with every beat', async () => {
    const { bus, clock, beat, hearing } = await current()
    for (let turn = 0; turn < 3; turn++) {
      await beat()
      expect(bus.currency(0).verifiedAt).toBe(clock.now())
    }
    expect(hearing.gaps).toEqual([])
  })

  test('is no newer than the reading of the chain, however late the pong', async () => {
    const { bus, clock, rig, settled } = await current()
    await settled()
    await redis.client('PAUSE', 100, 'ALL')
    const sentAt = clock.now() + BEAT_MS
    clock.advance(BEAT_MS)
    clock.advance(BEAT_MS - 1)
    await settled()
    expect(bus.currency(0).verifiedAt).toBe(sentAt)
    expect(rig.counters.l2Errors.size).toBe(0)
  })

  test('there is none before the first one, nor without a chain; that is no gap', async () => {
    const hearing = new Hearing()
    const { bus, beat, clock, settled } = await open(hearing)
    await beat()
    await beat()
    expect(bus.currency(0)).toMatchObject({ verifiedAt: Number.NEGATIVE_INFINITY, emptyAt: clock.now() })
    expect(hearing.gaps).toEqual([])
    await publish('there', 'D', '_:k')
    await settled()
    expect(bus.currency(0)).toMatchObject({ emptyAt: Number.NEGATIVE_INFINITY })
  })

  test('there is none while the commands do not get through', async () => {
    const { bus, clock, rig, proven, hearing } = await current()
    const before = bus.currency(0).verifiedAt
    await redis.client('PAUSE', 150, 'ALL')
    clock.advance(BEAT_MS)
    clock.advance(5000)
    await vi.waitFor(() => expect(rig.counters.l2Errors.get('ERR_REDIS_TIMEOUT')).toBeGreaterThan(0))
    expect(bus.currency(0).verifiedAt).toBe(before)
    await vi.waitFor(async () => await redis.ping())
    await proven()
    expect(hearing.gaps).toEqual([])
  })
})

describe('a gap is told', () => {
  test('when a notice was missed, with the next one', async () => {
    const { hearing, beat } = await current()
    await redis.hset(names.chain, 'tip', 'ffffffffffffffff')
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.gaps).toEqual(['a notice does not follow the last one heard']))
    expect(hearing.subjects).toEqual(['D _:k by third'])
    await beat()
    expect(hearing.gaps).toHaveLength(1)
  })

  test.each([
    ['of the past', '7'],
    ['of the future', '9007199254740000'],
  ])('when a forged notice %s breaks in; what it costs is over with the next beat', async (_name, n) => {
    const { hearing, beat, bus, clock } = await current()
    await redis.publish(names.channel, `[1,"0","forged","${n}",${noticeBody('D', 'mallory', '_:k')}`)
    await vi.waitFor(() => expect(hearing.gaps).toHaveLength(1))
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:k by mallory', 'D _:k by third']))
    await beat()
    expect(hearing.losses).toEqual([])
    expect(bus.currency(0).verifiedAt).toBe(clock.now())
    await beat()
    expect(hearing.losses).toEqual([])
    const { length } = hearing.gaps
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.subjects).toHaveLength(3))
    await beat()
    await beat()
    expect(hearing.gaps).toHaveLength(length)
  })

  test('by links that do not follow: the head of the chain is read for them once in a beat, however many come', async () => {
    const { beat, settled, rig, subscriber } = await current()
    const { l2Timings } = rig.counters
    for (let round = 0; round < 2; round++) {
      const answered = l2Timings.count
      for (let link = 0; link < 5; link++) {
        await redis.publish(
          names.channel,
          `[1,"0","f${link}","${9e15 + 2 * link}",${noticeBody('D', 'mallory', '_:k')}`,
        )
        await subscriber.ping()
        await settled()
      }
      // Its own command each time, and the head and the time once.
      expect(l2Timings.count - answered).toBe(5 + 2)
      await beat()
    }
  })

  test('once in a beat, however much garbage comes; and nothing is proven before the one that is due was told', async () => {
    const { hearing, beat, bus, clock, subscriber } = await current()
    const before = bus.currency(0).verifiedAt
    for (let index = 0; index < 50; index++) await redis.publish(names.channel, 'garbage')
    await subscriber.ping()
    expect(hearing.gaps).toHaveLength(1)
    let provenAtGap: number | undefined
    hearing.gap = (reason) => {
      hearing.gaps.push(reason)
      provenAtGap = bus.currency(0).verifiedAt
    }
    await beat()
    expect(hearing.gaps).toHaveLength(2)
    expect(provenAtGap).toBe(before)
    expect(bus.currency(0).verifiedAt).toBe(clock.now())
    await beat()
    expect(hearing.gaps).toHaveLength(2)
  })

  test('when the last notices of all were missed: the head of the chain was not heard', async () => {
    const { hearing, bus, clock, beat } = await current()
    await redis.hset(names.chain, 'tip', 'ffffffffffffffff')
    await beat()
    expect(hearing.gaps).toEqual(['the head of the chain was not heard'])
    expect(bus.currency(0).verifiedAt).toBe(clock.now())
    await beat()
    expect(hearing.gaps).toHaveLength(1)
  })

  test('when the chain is gone (FLUSHALL), once; then there is no proof until another one begins', async () => {
    const { hearing, bus, beat, proven } = await current()
    const before = bus.currency(0).verifiedAt
    await redis.flushall()
    await beat()
    await beat()
    expect(hearing.losses).toEqual([['the chain of notices is gone']])
    expect(bus.currency(0).verifiedAt).toBe(before)
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.gaps).toHaveLength(1))
    await proven()
    expect([hearing.gaps.length, hearing.losses.length]).toEqual([1, 1])
  })

  test('when the chain was lost and another one has begun before anybody looked', async () => {
    const { hearing, beat } = await current()
    await redis.pipeline([['flushall'], ['eval', ...change('third', 'D', '_:k')]]).exec()
    await vi.waitFor(() => expect(hearing.gaps).toEqual(['a notice does not follow the last one heard']))
    await beat()
    expect(hearing.gaps).toHaveLength(1)
  })

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['a text', 'hello'],
    ['bytes', Buffer.from('ff00fe80', 'hex')],
    ['JSON of another form', '{"a":1}'],
    ['a notice of a later version', '[2,"","","1","D","o","_:k"]'],
    ['an operation that is none', '[1,"","","1","Z","o","_:k"]'],
    ['3 MB', 'x'.repeat(3_000_000)],
    ['100,000 nested arrays', '['.repeat(100_000)],
  ])('when something on the channel is no notice: %s', async (_name, garbage) => {
    const { hearing, beat, bus, clock } = await current()
    await redis.publish(names.channel, garbage)
    await vi.waitFor(() => expect(hearing.gaps).toEqual(['a notice could not be read']))
    expect(hearing.notices).toEqual([])
    await beat()
    expect(bus.currency(0).verifiedAt).toBe(clock.now())
    expect(hearing.gaps).toHaveLength(1)
  })
})

describe('a loss is told', () => {
  const WENT_BACK = 'the chain of notices went back'

  /** The head of the chain as it is now, to be put back later. */
  async function head(): Promise<{ readonly n: number; readonly restore: () => Promise<unknown> }> {
    const fields = await redis.hgetall(names.chain)
    return { n: Number(fields.n), restore: () => redis.hset(names.chain, fields) }
  }

  test('when the chain goes back behind links that were heard behind missed ones', async () => {
    const { hearing, beat, settled, subscriber } = await current()
    const before = await head()
    await redis.hset(names.chain, { tip: 'ffffffffffffffff', n: String(before.n + 3) })
    for (let link = 0; link < 2; link++) await publish('third', 'D', '_:k')
    await subscriber.ping()
    expect(hearing.gaps).toEqual(['a notice does not follow the last one heard'])
    // Whether what was heard is of the chain is found out before the next beat.
    await settled()
    await before.restore()
    await beat()
    expect(hearing.losses).toEqual([[WENT_BACK, { after: before.n, until: before.n + 5 }]])
  })

  test('once in four beats, though a forged notice follows the last link each time; nothing is proven meanwhile', async () => {
    const { hearing, beat, bus, clock, subscriber } = await current()
    const { n } = await head()
    const forge = async () => {
      const tip = await redis.hget(names.chain, 'tip')
      await redis.publish(names.channel, `[1,"${tip}","forged","${n + 1}",${noticeBody('D', 'mallory', '_:k')}`)
      await subscriber.ping()
    }
    await forge()
    await beat()
    const links = { after: n, until: n + 1 }
    expect(hearing.losses).toEqual([[WENT_BACK, links]])
    const provenAt = bus.currency(0).verifiedAt
    expect(provenAt).toBe(clock.now())
    for (let turn = 0; turn < 3; turn++) {
      await forge()
      await beat()
    }
    expect([hearing.losses.length, bus.currency(0).verifiedAt]).toEqual([1, provenAt])
    await beat()
    expect(hearing.losses).toEqual([
      [WENT_BACK, links],
      [WENT_BACK, links],
    ])
    expect(bus.currency(0).verifiedAt).toBe(clock.now())
  })

  test.each([
    ['another type', () => redis.multi().del(names.chain).set(names.chain, 'foreign').exec()],
    ['no number', () => redis.hset(names.chain, 'n', 'foreign')],
    ['no tip', () => redis.hdel(names.chain, 'tip')],
  ])('when there is something in place of the chain: %s; the next link repairs it', async (_name, spoil) => {
    const { hearing, bus, beat, proven, rig } = await current()
    const before = bus.currency(0).verifiedAt
    await spoil()
    await beat()
    await beat()
    expect(hearing.losses).toEqual([['the chain of notices is gone']])
    expect(bus.currency(0).verifiedAt).toBe(before)
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:k by third']))
    await proven()
    expect(hearing.losses).toHaveLength(1)
    expect(rig.of('breaker')).toEqual([])
  })
})

test('what is said on other channels, of another database too, is not heard', async () => {
  const { hearing, subscriber } = await current()
  await redis.publish(new RedisNames('tc', 1).channel, 'garbage')
  await redis.publish(new RedisNames('other', 0).channel, 'garbage')
  await subscriber.ping()
  expect([hearing.gaps, hearing.notices]).toEqual([[], []])
})

test('wake-ups are heard and are no links', async () => {
  const { hearing } = await current()
  await redis.publish(names.channel, wakeUp('F', 'third', '_:k'))
  await redis.publish(names.channel, wakeUp('R', 'third', '_:k'))
  await publish('third', 'D', '_:k')
  await vi.waitFor(() => expect(hearing.subjects).toEqual(['F _:k by third', 'R _:k by third', 'D _:k by third']))
  expect(hearing.gaps).toEqual([])
})

describe('a subscriber that was cut', () => {
  const killSubscribers = () => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')

  test('comes back; with an unchanged head nothing was missed, and that is no gap', async () => {
    const { hearing, proven, subscribed } = await current()
    await killSubscribers()
    await subscribed()
    await proven()
    expect(hearing.gaps).toEqual([])
    await publish('third', 'D', '_:k')
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:k by third']))
    expect(hearing.gaps).toEqual([])
  })

  test('has missed what was told meanwhile: a gap, before it is proven to be current again', async () => {
    const { hearing, bus, proven, subscribed } = await current()
    const before = bus.currency(0).verifiedAt
    await redis
      .multi([
        ['client', 'KILL', 'TYPE', 'pubsub'],
        ['eval', ...change('third', 'D', '_:missed')],
      ])
      .exec()
    expect(bus.currency(0).verifiedAt).toBe(before)
    await subscribed()
    await proven()
    expect(hearing.gaps).toEqual(['the head of the chain was not heard'])
    expect(hearing.notices).toEqual([])
  })

  test('has missed several, and hears the next one first: a gap all the same', async () => {
    const { hearing, subscribed } = await current()
    await redis
      .multi([
        ['client', 'KILL', 'TYPE', 'pubsub'],
        ['eval', ...change('third', 'D', '_:missed')],
      ])
      .exec()
    await subscribed()
    await publish('third', 'D', '_:next')
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:next by third']))
    expect(hearing.gaps).toHaveLength(1)
  })

  test('together with the commands comes back when both can be reached again', async () => {
    const proxy = await startFaultProxy(server)
    cleanUps.push(() => proxy.stop())
    const { hearing, bus, clock, proven, rig } = await current({ source: proxy.url })
    await proxy.cut()
    await vi.waitFor(() => expect(rig.client.usable).toBe(false))
    const before = bus.currency(0).verifiedAt
    clock.advance(BEAT_MS)
    await publish('third', 'D', '_:missed')
    await proxy.heal()
    await vi.waitFor(() => expect(rig.client.usable).toBe(true), { timeout: 10_000 })
    expect(hearing.notices).toEqual([])
    await vi.waitFor(async () => expect(await redis.pubsub('NUMSUB', names.channel)).toEqual([names.channel, 1]), {
      timeout: 10_000,
    })
    await proven()
    expect(bus.currency(0).verifiedAt).toBeGreaterThan(before)
    expect(hearing.gaps).toEqual(['the head of the chain was not heard'])
  }, 30_000)
})

describe('a subscriber whose connection is half open', () => {
  /** A connection of the application's whose subscriber goes another way. */
  async function throughProxy() {
    const proxy = await startFaultProxy(server)
    const own = new Redis(server.url)
    cleanUps.push(
      () => proxy.stop(),
      () => own.disconnect(),
    )
    const source = Object.assign(own, { duplicate: (options: object) => new Redis(proxy.url, options) as never })
    return { proxy, source }
  }

  test('does not keep the commands from being tried at each beat', async () => {
    const { proxy, source } = await throughProxy()
    const { clock, rig } = await current({ source })
    proxy.hole('to-client')
    const { l2Timings } = rig.counters
    const answered = l2Timings.count
    clock.advance(BEAT_MS)
    // The head of the chain and the time are here, the pong is not.
    await vi.waitFor(() => expect(l2Timings.count).toBe(answered + 2))
    for (let turn = 1; turn <= 3; turn++) {
      clock.advance(BEAT_MS)
      await vi.waitFor(() => expect(l2Timings.count).toBe(answered + 2 + turn))
    }
  })

  test('proves nothing; without a pong within the bound it gets a new connection, and what was missed is a gap', async () => {
    const { proxy, source } = await throughProxy()
    const { bus, clock, hearing, proven, beat, rig } = await current({ source })
    proxy.hole('to-client')
    const before = bus.currency(0).verifiedAt
    const answered = rig.counters.l2Timings.count
    clock.advance(BEAT_MS)
    await vi.waitFor(() => expect(rig.counters.l2Timings.count).toBe(answered + 2))
    await publish('third', 'D', '_:missed')
    expect([bus.currency(0).verifiedAt, hearing.notices]).toEqual([before, []])
    const closed = new Promise((resolve) => rig.server.subscriber.on('close', () => resolve(undefined)))
    // The proof that waits for its pong stands in the way of others; its deadline ends it.
    clock.advance(BOUND_MS)
    await closed
    expect(bus.currency(0).verifiedAt).toBe(before)
    await proxy.heal()
    await vi.waitFor(async () => expect(await redis.pubsub('NUMSUB', names.channel)).toEqual([names.channel, 1]), {
      timeout: 10_000,
    })
    await proven()
    expect(hearing.gaps).toEqual(['the head of the chain was not heard'])
    await beat()
    expect(hearing.gaps).toHaveLength(1)
  }, 30_000)
})

describe('a user without the right to PING', () => {
  test('hears, and proves to be current: a refusal is an answer. It is told once', async () => {
    const strict = await startRedis()
    const admin = new Redis(strict.url)
    cleanUps.push(
      () => strict.stop(),
      () => admin.disconnect(),
    )
    await admin.call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', '&tc:*', '+@all', '-ping')
    await admin.eval(...change('third', 'D', '_:first'))
    const hearing = new Hearing()
    const clock = new FakeClock()
    const rig = rigOf({ url: strict.url, username: 'shop', password: 'secret' }, { clock })
    const bus = new RedisBus(rig.client, { origin: 'here', maxStalenessMs: BOUND_MS }, clock)
    cleanUps.push(() => rig.client.close())
    cleanUps.push(() => bus.close())
    const closed = vi.fn()
    rig.server.subscriber.on('close', closed)
    bus.subscribe(hearing)
    for (let turn = 0; turn < 3; turn++) {
      const from = clock.now()
      await vi.waitFor(
        () => {
          clock.advance(BEAT_MS)
          expect(bus.currency(0).verifiedAt).toBeGreaterThan(from)
        },
        { timeout: 10_000, interval: 10 },
      )
    }
    expect(closed).not.toHaveBeenCalled()
    expect(rig.of('warning')).toEqual([
      expect.objectContaining({ code: 'ERR_MISSING_RIGHT', detail: { command: 'PING', right: '+ping' } }),
    ])
  })
})

describe('a user without the right to SUBSCRIBE', () => {
  /** A bus that is refused its subscription, and how often it was by now. */
  async function refused() {
    const strict = await startRedis()
    const admin = new Redis(strict.url)
    cleanUps.push(
      () => strict.stop(),
      () => admin.disconnect(),
    )
    await admin.call('ACL', 'SETUSER', 'shop', 'on', '>secret', '~tc:*', 'resetchannels', '+@all')
    const hearing = new Hearing()
    const clock = new FakeClock()
    const rig = rigOf({ url: strict.url, username: 'shop', password: 'secret' }, { clock })
    const bus = new RedisBus(rig.client, { origin: 'here', maxStalenessMs: BOUND_MS }, clock)
    cleanUps.push(() => rig.client.close())
    cleanUps.push(() => bus.close())
    bus.subscribe(hearing)
    await rig.connected()
    /** What was sent to the server by now is counted there, and answered. */
    const answered = async () => {
      await rig.bucket.run('PING', (redis) => redis.call('PING'))
      await rig.server.subscriber.ping()
      await new Promise(setImmediate)
    }
    const refusals = async () => {
      const [, times] = /cmdstat_subscribe:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats')) ?? []
      return Number(times ?? 0)
    }
    await vi.waitFor(async () => expect(await refusals()).toBeGreaterThan(0))
    await answered()
    return { admin, hearing, clock, rig, answered, refusals }
  }

  test('asks for it again after a pause, once, however often it was refused before; and hears when it is granted', async () => {
    const { admin, hearing, clock, rig, answered, refusals } = await refused()
    for (let outage = 1; outage <= 2; outage++) {
      const before = await refusals()
      await admin.call('CLIENT', 'KILL', 'USER', 'shop')
      await vi.waitFor(async () => expect(await refusals()).toBeGreaterThan(before), { timeout: 10_000 })
      await vi.waitFor(() => expect(rig.of('connected')).toHaveLength(1 + outage), { timeout: 10_000 })
      await vi.waitFor(() => expect(rig.server.subscriber.status).toBe('ready'), { timeout: 10_000 })
      await answered()
    }
    for (let pause = 0; pause < 2; pause++) {
      const before = await refusals()
      clock.advance(5000)
      await answered()
      expect(await refusals()).toBe(before + 1)
    }
    await admin.call('ACL', 'SETUSER', 'shop', '&tc:*')
    clock.advance(5000)
    await answered()
    await admin.eval(...change('third', 'D', '_:k'))
    await vi.waitFor(() => expect(hearing.subjects).toEqual(['D _:k by third']))
    const rights = rig.of('warning').filter((event) => (event as { code: string }).code === 'ERR_MISSING_RIGHT')
    expect(rights).toHaveLength(1)
  }, 30_000)

  test('does not take what it did not send for an answer of the server', async () => {
    const { clock, rig, answered } = await refused()
    const before = rig.counters.l2Timings.count
    clock.advance(BEAT_MS)
    await answered()
    // The time, and the command of the test.
    expect(rig.counters.l2Timings.count - before).toBe(2)
  })
})

test('a closed bus has no timer left and proves nothing more', async () => {
  const { bus, clock, close } = await current()
  close()
  const before = bus.currency(0).verifiedAt
  clock.advance(10 * BOUND_MS)
  await redis.ping()
  expect(bus.currency(0).verifiedAt).toBe(before)
  expect(clock.pending).toBe(0)
})
