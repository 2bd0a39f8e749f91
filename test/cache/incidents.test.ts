import { expect, test } from 'vitest'
import { Incidents } from '../../src/cache/incidents.ts'
import { Counters } from '../../src/counters/counters.ts'
import { Events } from '../../src/events.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const turn = () => new Promise(setImmediate)

function setup() {
  const [counters, events, clock, told] = [new Counters(), new Events(), new FakeClock(), [] as unknown[]]
  events.on('gap', (event) => void told.push(['gap', event]))
  events.on('resync', (event) => void told.push(['resync', event]))
  return { counters, told, clock, incidents: new Incidents(counters, events, clock) }
}

test('gaps of many buckets in one turn are counted and told once for each reason', async () => {
  const { counters, told, incidents } = setup()
  for (let bucket = 0; bucket < 64; bucket++) {
    incidents.gap('unheard', [bucket])
    await undefined
    incidents.gap('moved', [bucket % 2, 5])
  }
  expect(told).toEqual([])
  await turn()
  expect(told).toEqual([
    ['gap', { reason: 'unheard', buckets: 64 }],
    ['gap', { reason: 'moved', buckets: 3 }],
  ])
  expect([counters.gaps, counters.resyncs]).toEqual([2, 0])
})

test('further gaps of a reason within a second are told as one, when it is over; those of another at once', async () => {
  const { counters, told, clock, incidents } = setup()
  incidents.gap('unheard', [0])
  await turn()
  for (const bucket of [1, 2, 2]) {
    incidents.gap('unheard', [bucket])
    await turn()
  }
  incidents.gap('moved', [3])
  await turn()
  const [first, other] = [
    ['gap', { reason: 'unheard', buckets: 1 }],
    ['gap', { reason: 'moved', buckets: 1 }],
  ]
  clock.advance(999)
  expect(told).toEqual([first, other])
  clock.advance(1)
  expect(told).toEqual([first, other, ['gap', { reason: 'unheard', buckets: 2 }]])
  clock.advance(1000)
  incidents.gap('unheard', [4])
  await turn()
  expect(told).toHaveLength(4)
  expect(counters.gaps).toBe(4)
})

test('losses of one turn are told once for each reason; a group that is invalidated again in several buckets counts once', async () => {
  const { counters, told, incidents } = setup()
  incidents.resync('run', [0], ['key a', 'tag t'])
  incidents.resync('chain', [0], [])
  incidents.resync('run', [1, 2], ['tag t'])
  await turn()
  expect(told).toEqual([
    ['resync', { reason: 'run', buckets: 3, repeated: 2 }],
    ['resync', { reason: 'chain', buckets: 1, repeated: 0 }],
  ])
  // What is found next is acted upon: it must not wait.
  incidents.resync('run', [3], [])
  await turn()
  expect(told).toHaveLength(3)
  expect([counters.gaps, counters.resyncs]).toEqual([0, 3])
})
