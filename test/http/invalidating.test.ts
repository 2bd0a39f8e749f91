import { expect, test } from 'vitest'
import { door } from '../../src/cache/seek.ts'
import { Counters } from '../../src/counters/counters.ts'
import { groupTag } from '../../src/http/groups.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { Invalidating } from '../../src/http/invalidating.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { requestOf } from './plain-exchange.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Watcher } from '../../src/http/exchange.ts'
import type { Invalid } from '../../src/http/invalidating.ts'

/** A deletion that settles when it is told to. */
class Deletions {
  readonly begun: string[] = []
  readonly #settle: (() => void)[] = []

  readonly begin = ({ targets, tags }: Invalid): Promise<void> => {
    this.begun.push(...targets, ...tags)
    return new Promise((resolve) => {
      this.#settle.push(resolve)
    })
  }

  settleAll(): void {
    for (const settle of this.#settle.splice(0)) settle()
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const post = requestOf({ method: 'POST', target: '/p' })
const settings = readHttpOptions({})

test('an answer that is ended with its head drops once, and is held until that is done', async () => {
  const deletions = new Deletions()
  const watcher = new Invalidating(post, settings, deletions.begin)
  watcher.head({ status: 303, fields: [['Location', '/q']] })
  let ended = false
  void watcher.beforeEnd()?.then(() => {
    ended = true
  })
  await turns()
  expect(deletions.begun).toEqual(['/p', '/q'])
  expect(ended).toBe(false)
  deletions.settleAll()
  await turns()
  expect(ended).toBe(true)
})

test('one that goes on after its head drops again at its end', async () => {
  const deletions = new Deletions()
  const watcher = new Invalidating(post, settings, deletions.begin)
  watcher.head({ status: 200, fields: [] })
  await turns()
  deletions.settleAll()
  expect(deletions.begun).toEqual(['/p'])
  expect(watcher.beforeEnd()).toBeInstanceOf(Promise)
  expect(deletions.begun).toEqual(['/p', '/p'])
})

test('groups that it names are dropped, whatever its status', () => {
  const deletions = new Deletions()
  const fields = [['Cache-Group-Invalidation', '"a"']] as const
  const watcher = new Invalidating(post, settings, deletions.begin)
  watcher.head({ status: 409, fields })
  expect(deletions.begun).toEqual([groupTag(post, 'a')])
  expect(watcher.beforeEnd()).toBeInstanceOf(Promise)
})

test('an error drops nothing, and is not held', () => {
  const deletions = new Deletions()
  const watcher = new Invalidating(post, settings, deletions.begin)
  watcher.head({ status: 409, fields: [] })
  expect(watcher.beforeEnd()).toBeUndefined()
  expect(deletions.begun).toEqual([])
})

test('a deletion that never settles, or fails, holds the end no longer than a second', async () => {
  for (const outcome of ['never', 'fails'] as const) {
    const alarms: { ms: number; ring: () => void }[] = []
    const clock = {
      wall: () => 0,
      nonce: () => 'n',
      after: (ms: number, ring: () => void) => {
        alarms.push({ ms, ring })
        return () => {}
      },
      inBackground: () => () => {},
    }
    const change = () => (outcome === 'never' ? new Promise(() => {}) : Promise.reject(new Error('closed')))
    const store = { delete: change, invalidateTags: change, [door]: { clock } }
    const cache = { namespace: () => store, counters: new Counters() } as unknown as Cache
    const engine = new HttpCache(cache, undefined)
    let watcher: Watcher | undefined
    engine.handle({
      request: post,
      isGone: () => false,
      answer: () => {},
      forward: (given) => {
        watcher = given
      },
    })
    watcher?.head({ status: 200, fields: [] })
    let ended = false
    void watcher?.beforeEnd()?.then(() => {
      ended = true
    })
    await turns()
    expect(ended).toBe(outcome === 'fails')
    expect(alarms.map(({ ms }) => ms)).toEqual([1000])
    for (const { ring } of alarms) ring()
    await turns()
    expect(ended).toBe(true)
  }
})
