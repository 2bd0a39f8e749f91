import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis } from '../doubles/redis.ts'
import { openFront, until } from './front.ts'
import { catchUp, passTime } from './standing-clock.ts'
import { formatHttpDate } from '../../src/http/http-date.ts'
import { systemClock } from '../../src/clock.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Ask, Got, RequestFields } from './client.ts'
import type { Front, Reply, ResponseFields, Seen, SetUp } from './front.ts'

/** What a test of a clause has in its hands: one resource of one application behind one cache, and a client. */
export interface World {
  readonly setUp: SetUp
  readonly front: Front
  /** The path of the resource. Each test has its own. */
  readonly path: string
  /** Requests that reached the application, in their order. */
  readonly seen: Seen[]
  /** What the application answers from now on. Its body is `run 1`, `run 2`, … where none is given. */
  app(reply: Reply | ((seen: Seen) => Reply | Promise<Reply>)): void
  /** Asks with GET, and waits until what that leaves in the cache has landed. `below` is put behind the path. */
  get(fields?: RequestFields, below?: string): Promise<Got>
  /** The same with any request. */
  ask(request: Ask): Promise<Got>
  /** The same without waiting for the cache. */
  send(request: Ask): Promise<Got>
  /** Something that an application may wait for; open at the latest when the test is over. */
  gate(): Gate
  /** Resolves when so many requests have reached the application. */
  reached(count: number): Promise<void>
  /** Lets seconds pass. */
  pass(seconds: number): void
  /** An HTTP-date so many seconds from now. */
  date(seconds?: number): string
  /** Whether the response with these fields to a first request answers a second one. */
  stores(fields: ResponseFields, more?: Two): Promise<boolean>
  /** Whether it does so when so many seconds have passed. */
  freshAfter(seconds: number, fields: ResponseFields, more?: Two): Promise<boolean>
}

export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

/** Two requests for one resource, and their response. */
export interface Two {
  readonly status?: number
  readonly body?: string
  readonly first?: Ask
  readonly second?: Ask
}

/** What a clause wants of its set-ups. Those that it does not name rotate. */
export type ClauseOptions = HttpCacheOptions & {
  /** Why it can't be asked over HTTP/2. */
  readonly http1Because?: string
  /** Why the way in which the handler writes is part of it. */
  readonly style?: SetUp['style']
}

const TIERS = ['L1', 'L2', 'L1 + L2'] as const
const PROFILES = ['safe', 'conformance'] as const
/** Over HTTP/1.1, in Express and in front of it and of plain listeners; each with the ways to write that it has. */
const WAYS = [
  { face: 'httpCache', style: 'send' },
  { face: 'accelerate', style: 'stream' },
  { face: 'httpCache', style: 'end' },
  { face: 'accelerate', style: 'send' },
  { face: 'httpCache', style: 'stream' },
  { face: 'accelerate', style: 'end' },
] as const
const STYLES_OF_HTTP2 = ['stream', 'end'] as const

let clauses = 0

/**
 * Tests one clause: in each set-up of tiers over HTTP/1.1, and in one over HTTP/2. Profiles, faces and the ways in which
 * the handler writes rotate, so that all of them meet all kinds of clauses.
 */
export function clause(name: string, body: (world: World) => Promise<void>): void
export function clause(name: string, options: ClauseOptions, body: (world: World) => Promise<void>): void
export function clause(name: string, ...rest: unknown[]): void {
  const body = rest.pop() as (world: World) => Promise<void>
  const { http1Because, style, ...options } = (rest[0] ?? {}) as ClauseOptions
  const number = clauses++
  describe(name, () => {
    for (const setUp of setUpsOf(number, options, http1Because === undefined && style !== 'send')) {
      const chosen =
        style === undefined ? setUp : { ...setUp, style, face: style === 'send' ? 'httpCache' : setUp.face }
      test(titleOf(chosen), async () => {
        const world = await worldOf(chosen)
        try {
          await body(world)
        } finally {
          world.leave()
        }
      })
    }
  })
}

/** What handlers read is not audited: here they read every field, for `seen`. What is confirmed each time is stored, in both profiles. */
function setUpsOf(number: number, options: HttpCacheOptions, overHttp2: boolean): SetUp[] {
  const setUps: SetUp[] = TIERS.map((tiers, index) => ({
    tiers,
    protocol: 'HTTP/1.1',
    ...(WAYS[(number + index * 5) % WAYS.length] as (typeof WAYS)[number]),
    options: { audit: 'warn', zeroLifetime: 'store', profile: PROFILES[(number + index) % 2] as 'safe', ...options },
  }))
  if (!overHttp2) return setUps
  const style = STYLES_OF_HTTP2[number % 2] as 'end'
  const [tiers, profile] = [TIERS[number % 3] as 'L1', PROFILES[(number + 1) % 2] as 'safe']
  return [
    ...setUps,
    {
      tiers,
      protocol: 'HTTP/2',
      face: 'accelerate',
      style,
      options: { audit: 'warn', zeroLifetime: 'store', profile, ...options },
    },
  ]
}

function titleOf({ tiers, protocol, face, style, options }: SetUp): string {
  return `${tiers}, ${protocol}, ${face}, ${style}, ${options.profile}`
}

let redis: RedisServer
const fronts = new Map<string, Promise<Front>>()

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(async () => {
  for (const front of fronts.values()) await (await front).close()
  await redis.stop()
})

let paths = 0

async function worldOf(setUp: SetUp): Promise<LiveWorld> {
  catchUp()
  return new LiveWorld(setUp, await frontOf(setUp))
}

function frontOf(setUp: SetUp): Promise<Front> {
  const { style: _, ...rest } = setUp
  const name = JSON.stringify(rest)
  const front = fronts.get(name) ?? openFront(setUp, redis)
  fronts.set(name, front)
  return front
}

class LiveWorld implements World {
  readonly setUp: SetUp
  readonly front: Front
  readonly path = `/${paths++}`
  readonly seen: Seen[]
  #pairs = 0
  readonly #gates: Gate[] = []

  constructor(setUp: SetUp, front: Front) {
    this.setUp = setUp
    this.front = front
    this.seen = front.route(this.path, setUp.style, () => ({}))
  }

  app(reply: Reply | ((seen: Seen) => Reply | Promise<Reply>)): void {
    this.front.reroute(this.path, typeof reply === 'function' ? reply : () => reply)
  }

  get(fields: RequestFields = {}, below = ''): Promise<Got> {
    return this.ask({ fields, below })
  }

  async ask(request: Ask): Promise<Got> {
    const got = await this.send(request)
    await this.front.landed()
    return got
  }

  send(request: Ask): Promise<Got> {
    return this.front.client.send(this.path, request)
  }

  gate(): Gate {
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const gate = { opened, open }
    this.#gates.push(gate)
    return gate
  }

  reached(count: number): Promise<void> {
    return until(() => this.seen.length >= count)
  }

  leave(): void {
    for (const { open } of this.#gates) open()
    this.front.forget(this.path)
  }

  pass(seconds: number): void {
    passTime(seconds)
  }

  date(seconds = 0): string {
    return formatHttpDate(systemClock.wall() + seconds * 1000)
  }

  stores(fields: ResponseFields, more: Two = {}): Promise<boolean> {
    return this.freshAfter(0, fields, more)
  }

  async freshAfter(seconds: number, fields: ResponseFields, more: Two = {}): Promise<boolean> {
    const { first = {}, second = first, ...reply } = more
    const below = `/pair-${this.#pairs++}`
    this.app({ ...reply, fields })
    const before = this.seen.length
    const one = await this.ask({ below, ...first })
    expect(this.seen.length).toBe(before + 1)
    if (seconds > 0) this.pass(seconds)
    const two = await this.ask({ below, ...second })
    const isHit = this.seen.length === before + 1
    if (isHit && two.status === one.status && two.body !== '') expect(two.body).toBe(one.body)
    return isHit
  }
}
