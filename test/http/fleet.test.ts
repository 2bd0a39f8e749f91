import { expect, test } from 'vitest'
import { HttpCache } from '../../src/http/http-cache.ts'
import { inFleets } from '../doubles/fleet.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Fleet, Process } from '../doubles/fleet.ts'
import type { Fields, RequestHeaders } from '../../src/http/message.ts'
import type { Got, Script } from './plain-exchange.ts'

const CONTROL: Fields = [['Cache-Control', 'max-age=10, stale-while-revalidate=20, stale-if-error=60']]

/** A process with an engine, in front of an application that answers when it is told to. */
class Front {
  readonly engine: HttpCache
  readonly process: Process
  readonly #runs: ((script: Script) => void)[] = []
  readonly #arrivals: (() => void)[] = []

  constructor(process: Process) {
    this.process = process
    this.engine = new HttpCache(process.cache, undefined)
  }

  get(headers: RequestHeaders = {}): Promise<Got> {
    return ask(this.engine, requestOf({ headers }), () => {
      for (const arrived of this.#arrivals.splice(0)) arrived()
      return new Promise<Script>((resolve) => this.#runs.push(resolve))
    })
  }

  /** Resolves when a run of the application waits for its answer. */
  async asked(): Promise<void> {
    while (this.#runs.length === 0) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }

  get runs(): number {
    return this.#runs.length
  }

  async answers(script: Script): Promise<void> {
    await this.asked()
    this.#runs.shift()?.(script)
  }

  /** Resolves when this process waits for another one's load. */
  waits(): Promise<void> {
    return new Promise((resolve) => this.process.cache.on('wait', () => resolve()))
  }
}

async function pair(fleet: Fleet): Promise<[Front, Front]> {
  return [new Front(await fleet.process()), new Front(await fleet.process())]
}

/** Has a page stored, and lets so many seconds pass. */
async function stored(fleet: Fleet, front: Front, seconds: number, fields = CONTROL): Promise<void> {
  const first = front.get()
  await front.answers({ fields, body: 'old' })
  await first
  await expect.poll(() => front.process.cache.counters.loadsWaiting).toBe(0)
  await fleet.elapse(seconds * 1000)
}

inFleets((fleet) => {
  test('who waits for a handler that fails in another process is served what is stale', async () => {
    const [a, b] = await pair(fleet)
    await stored(fleet, a, 35)
    const first = a.get()
    await a.asked()
    const waits = b.waits()
    const second = b.get()
    await waits
    await a.answers({ status: 503, body: 'oh' })
    expect(await first).toMatchObject({ status: 200, body: 'old' })
    expect((await first).cacheStatus).toContain('fwd=stale; fwd-status=503; ttl=-')
    expect(await second).toMatchObject({ status: 200, body: 'old' })
    expect((await second).cacheStatus).toMatch(/fwd=stale; ttl=-\d+; collapsed; detail=stale-if-error$/)
    expect(b.runs).toBe(0)
  })

  test('what is stale is renewed behind its readers by one process', async () => {
    const [a, b] = await pair(fleet)
    await stored(fleet, a, 0, [['Cache-Control', 'max-age=0, stale-while-revalidate=20']])
    expect(await a.get()).toMatchObject({ body: 'old', from: 'cache' })
    await a.asked()
    expect(await b.get()).toMatchObject({ body: 'old', from: 'cache' })
    await a.answers({ fields: CONTROL, body: 'new' })
    await expect.poll(async () => (await b.get()).body).toBe('new')
    expect(a.runs + b.runs).toBe(0)
  })

  test('one process asks the application to confirm, and the other one is answered with what was confirmed', async () => {
    const [a, b] = await pair(fleet)
    await stored(fleet, a, 35, [...CONTROL, ['ETag', '"v1"']])
    const first = a.get()
    await a.asked()
    const waits = b.waits()
    const second = b.get()
    await waits
    await a.answers({ status: 304, fields: [['ETag', '"v1"']] })
    expect(await first).toMatchObject({ body: 'old', cacheStatus: expect.stringContaining('fwd-status=304') })
    expect(await second).toMatchObject({ body: 'old', cacheStatus: expect.stringContaining('; hit; ttl=') })
    expect(b.runs).toBe(0)
  })

  test('a leader that is cut off is followed by one in the other process', async () => {
    const [a, b] = await pair(fleet)
    let cutOff = (): void => {}
    a.engine.handle({
      request: requestOf(),
      isGone: () => false,
      answer: () => {},
      forward: (watcher) => {
        cutOff = () => watcher.over(false)
      },
    })
    await expect.poll(() => a.process.cache.counters.loadsRunning).toBe(1)
    const waits = b.waits()
    const second = b.get()
    await waits
    cutOff()
    await b.answers({ fields: CONTROL, body: 'whole' })
    expect(await second).toMatchObject({ from: 'application', body: 'whole' })
  })

  test('what turns out to be for one client alone is not waited for in the other process', async () => {
    const [a, b] = await pair(fleet)
    const first = a.get()
    await a.asked()
    const waits = b.waits()
    const second = b.get()
    await waits
    await a.answers({ fields: [['Cache-Control', 'private']], body: 'of a' })
    await b.answers({ fields: [['Cache-Control', 'private']], body: 'of b' })
    expect((await first).body).toBe('of a')
    expect((await second).body).toBe('of b')
  })
})
