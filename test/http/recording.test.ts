import { expect, test } from 'vitest'
import { HttpCounters } from '../../src/counters/http-counters.ts'
import { CaptureMemory } from '../../src/http/capture.ts'
import { GuardWarnings } from '../../src/http/guard-warnings.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { PATIENCE_MS, Recording } from '../../src/http/recording.ts'
import { SearchVariances } from '../../src/http/search-variances.ts'
import { Tally } from '../../src/http/tally.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { requestOf } from './plain-exchange.ts'
import type { Recorded } from '../../src/http/recorded.ts'

function start() {
  const clock = new FakeClock()
  const counters = new HttpCounters()
  const told: Recorded[] = []
  const subject = { request: requestOf(), resource: 'r', reason: 'uri-miss', forClient: true } as const
  const parts = {
    settings: readHttpOptions({ ttl: '1m' }),
    namespace: '_',
    clock,
    captured: new CaptureMemory(2 ** 24),
    searches: new SearchVariances(),
    tally: new Tally(counters, new GuardWarnings()),
  }
  const recording = new Recording(parts, subject, (recorded) => told.push(recorded))
  return { clock, told, recording, refusals: counters.refusals }
}

/** What came of the rest of a late response. */
async function restOf([late]: Recorded[]): Promise<string> {
  if (late?.kind !== 'late') throw new Error('it is not late')
  return (await late.rest).kind
}

test('the time before the head is the handler’s own; the end is waited for a second', () => {
  const { clock, told, recording } = start()
  clock.advance(29_000)
  recording.head({ status: 200, fields: [['Vary', 'X-V']] })
  recording.chunk(Buffer.from('x'))
  clock.advance(PATIENCE_MS - 1)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told).toMatchObject([{ kind: 'late', fields: ['x-v'] }])
})

test('a response that ends in time is complete, and leaves no timer behind', () => {
  const { clock, told, recording } = start()
  recording.head({ status: 200, fields: [] })
  clock.advance(PATIENCE_MS - 1)
  recording.over(true)
  clock.advance(60_000)
  expect(told).toMatchObject([{ kind: 'complete' }])
  expect(clock.pending).toBe(0)
})

test('what its route skips is told at once, before the head, and counted once', () => {
  const { told, recording, refusals } = start()
  recording.skip()
  expect(told).toMatchObject([{ kind: 'unshareable' }])
  const { watchBody, set } = recording.head({ status: 200, fields: [] })
  expect(watchBody).toBe(false)
  expect(Object.fromEntries(set)['Cache-Status']).toBe('tiercache; fwd=uri-miss; detail=skip')
  recording.skip()
  recording.over(true)
  expect(told).toHaveLength(1)
  expect(refusals.skip).toBe(1)
})

test('what is not stored is told at its head, and leaves no timer behind', () => {
  const { clock, told, recording } = start()
  recording.head({ status: 200, fields: [['Content-Type', 'text/event-stream']] })
  expect(told).toEqual([{ kind: 'unshareable', supersedes: true }])
  expect(clock.pending).toBe(0)
})

test('a late one with more tags than an entry can carry is unshareable', () => {
  const { clock, told, recording, refusals } = start()
  recording.head({ status: 200, fields: [] })
  recording.addTags(Array.from({ length: 65 }, (_, n) => `t${n}`))
  clock.advance(PATIENCE_MS)
  expect(told).toMatchObject([{ kind: 'unshareable' }])
  expect(refusals['too-many-tags']).toBe(1)
  expect(clock.pending).toBe(0)
})

test.each([
  ['complete', ({ recording }) => recording.over(true)],
  ['abandoned', ({ recording }) => recording.over(false)],
  ['unshareable', ({ recording }) => recording.skip()],
  ['unshareable', ({ recording }) => recording.chunk(new Uint8Array(2 ** 20 + 1))],
  ['abandoned', ({ clock }) => clock.advance(30_000)],
] satisfies [string, (started: ReturnType<typeof start>) => unknown][])('a late one may be %s', async (kind, act) => {
  const started = start()
  const { clock, told, recording } = started
  recording.head({ status: 200, fields: [] })
  clock.advance(PATIENCE_MS)
  expect(recording.chunk(Buffer.from('x'))).toBe(true)
  act(started)
  expect(await restOf(told)).toBe(kind)
  expect(recording.chunk(Buffer.from('x'))).toBe(false)
  expect(told).toHaveLength(1)
  expect(clock.pending).toBe(0)
})

test.each([
  ['_', { ttl: '2m' }, 0],
  ['_', { keyHeaders: ['x-tenant'] }, 1],
  ['pages', {}, 1],
] as const)(
  'a cache further inside, over %s with %o, has %i tags of its own put on it',
  (namespace, options, count) => {
    const { told, recording } = start()
    recording.refine({ namespace, settings: readHttpOptions({ ttl: '1m', ...options }) })
    recording.head({ status: 200, fields: [] })
    recording.over(true)
    const [recorded] = told
    expect(recorded?.kind === 'complete' && recorded.stored.tags).toHaveLength(count)
  },
)

test.each(['1234', '123456'])('what is not as long as it said is not stored: %s of 5 bytes', (body) => {
  const { told, recording, refusals } = start()
  recording.head({ status: 200, fields: [['Content-Length', '5']] })
  recording.chunk(Buffer.from(body))
  recording.over(true)
  expect(told).toEqual([{ kind: 'unshareable', supersedes: false }])
  expect(refusals.length).toBe(1)
})
