import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { Counters, Timings } from '../src/counters/counters.ts'
import { Events } from '../src/events.ts'

const gap = () => ({ reason: 'because', buckets: 1 })

describe('Events', () => {
  test('tells each listener the same event, in the order of their registration', () => {
    const events = new Events()
    const heard: unknown[] = []
    events.on('gap', (event) => heard.push(['first', event]))
    events.on('gap', (event) => heard.push(['second', event]))
    events.on('warning', (event) => heard.push(['other', event]))
    events.tell('gap', gap)
    expect(heard).toEqual([
      ['first', gap()],
      ['second', gap()],
    ])
  })

  test('builds nothing while nobody listens, nor after the last one has gone', () => {
    const events = new Events()
    const build = vi.fn(gap)
    events.tell('gap', build)
    const off = events.on('gap', () => {})
    off()
    off()
    events.tell('gap', build)
    expect(build).not.toHaveBeenCalled()
    events.on('gap', () => {})
    events.on('gap', () => {})
    events.tell('gap', build)
    expect(build).toHaveBeenCalledTimes(1)
  })

  test('a listener may take itself off while it is told', () => {
    const events = new Events()
    const heard: string[] = []
    const off = events.on('gap', () => {
      heard.push('once')
      off()
    })
    events.on('gap', () => void heard.push('always'))
    events.tell('gap', gap)
    events.tell('gap', gap)
    expect(heard).toEqual(['once', 'always', 'always'])
  })

  test('a listener that is added while an event is told hears the next one', () => {
    const events = new Events()
    const heard: string[] = []
    const listen = () =>
      events.on('gap', () => {
        // Without an end this test would have none.
        if (heard.push('told') > 10) throw new Error('one telling does not end')
        listen()
      })
    listen()
    events.tell('gap', gap)
    expect(heard).toHaveLength(1)
    events.tell('gap', gap)
    expect(heard).toHaveLength(3)
  })

  test('a listener that another one takes off hears nothing more', () => {
    const events = new Events()
    const heard: string[] = []
    events.on('gap', () => off())
    const off = events.on('gap', () => void heard.push('taken off'))
    events.tell('gap', gap)
    expect(heard).toEqual([])
  })

  test('a listener that throws is a warning of the process; the others are told', () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const events = new Events()
    const heard: unknown[] = []
    events.on('gap', () => {
      throw new Error('broken listener')
    })
    events.on('gap', (event) => void heard.push(event))
    events.tell('gap', gap)
    expect(heard).toEqual([gap()])
    expect(warnings.mock.calls).toEqual([
      ['a listener of cache events failed: Error: broken listener', { type: 'TierCacheWarning' }],
    ])
  })

  test('a listener that rejects is a warning of the process, and no unhandled rejection', async () => {
    const events = new Events()
    events.on('gap', async () => {
      throw new Error('broken promise')
    })
    const warned = once(process, 'warning')
    events.tell('gap', gap)
    const [warning] = (await warned) as [Error]
    expect([warning.name, warning.message]).toEqual([
      'TierCacheWarning',
      'a listener of cache events failed: Error: broken promise',
    ])
  })
})

describe('Timings', () => {
  test('counts in the first bucket whose bound is not exceeded', () => {
    const timings = new Timings([1, 5, 10])
    for (const ms of [0, 1, 1.01, 5, 9, 10, 10.1, 1e9]) timings.add(ms)
    expect(timings.counts).toEqual([2, 2, 2, 2])
    expect(timings.count).toBe(8)
    expect(timings.sumMs).toBeCloseTo(1_000_000_036.11)
  })

  test('one without bounds has one bucket', () => {
    const timings = new Timings([])
    timings.add(3)
    expect([timings.counts, timings.count, timings.sumMs]).toEqual([[1], 1, 3])
  })

  test('all durations of a cache have rising bounds', () => {
    const { loadTimings, l2Timings } = new Counters()
    for (const { boundsMs, counts } of [loadTimings, l2Timings]) {
      expect(boundsMs).toEqual([...boundsMs].sort((a, b) => a - b))
      expect(counts).toEqual(new Array(boundsMs.length + 1).fill(0))
    }
  })
})

describe('Counters', () => {
  test('a namespace has counters of its own, the same ones each time', () => {
    const counters = new Counters()
    counters.requestsOf('users').l1Fresh++
    expect(counters.requestsOf('users')).toEqual({
      l1Fresh: 1,
      l1Stale: 0,
      l1Missing: 0,
      l2Fresh: 0,
      l2Stale: 0,
      l2Missing: 0,
    })
    expect(counters.requestsOf('toString').l1Fresh).toBe(0)
    expect(counters.requestsOf('__proto__').l1Fresh).toBe(0)
  })

  test('names made from data stay bounded: the rest is counted together', () => {
    const counters = new Counters()
    for (let index = 0; index < 10_000; index++) counters.requestsOf(`user-${index}`).l1Missing++
    expect(counters.requests.size).toBe(Counters.namespacesMost + 1)
    expect(counters.requests.get('(other)')?.l1Missing).toBe(10_000 - Counters.namespacesMost)
    expect(counters.requestsOf('user-0').l1Missing).toBe(1)
    const total = [...counters.requests.values()].reduce((sum, { l1Missing }) => sum + l1Missing, 0)
    expect(total).toBe(10_000)
  })

  test('errors of L2 are counted by code', () => {
    const counters = new Counters()
    counters.l2Failed('ERR_REDIS_TIMEOUT')
    counters.l2Failed('ERR_REDIS_TIMEOUT')
    counters.l2Failed('ERR_REDIS_REPLY')
    expect(Object.fromEntries(counters.l2Errors)).toEqual({ ERR_REDIS_TIMEOUT: 2, ERR_REDIS_REPLY: 1 })
  })
})
