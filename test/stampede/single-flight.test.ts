import { expect, test } from 'vitest'
import { Audience } from '../../src/stampede/audience.ts'
import { SingleFlight } from '../../src/stampede/single-flight.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

/** A run whose end the test decides. */
function run<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { start: () => promise, resolve, reject }
}

test('a run can be joined until it ends', async () => {
  const flights = new SingleFlight<number>(new FakeClock())
  const load = run<number>()
  expect(flights.joinable('k')).toBeUndefined()
  const promise = flights.start('k', new Audience(), load.start)
  expect(flights.joinable('k')?.promise).toBe(promise)
  expect(flights.joinable('other')).toBeUndefined()
  load.resolve(7)
  expect(await promise).toBe(7)
  expect(flights.joinable('k')).toBeUndefined()
})

test('a failure goes to those who joined, and ends the run', async () => {
  const flights = new SingleFlight<number>(new FakeClock())
  const load = run<number>()
  const first = flights.start('k', new Audience(), load.start)
  const second = flights.joinable('k')?.promise
  load.reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  await expect(second).rejects.toThrow('broken')
  expect(flights.joinable('k')).toBeUndefined()
})

test('a detached run goes on for those who joined; its end does not end the newer one', async () => {
  const flights = new SingleFlight<string>(new FakeClock())
  const [older, newer] = [run<string>(), run<string>()]
  const before = flights.start('k', new Audience(), older.start)
  flights.detach('k')
  expect(flights.joinable('k')).toBeUndefined()
  const after = flights.start('k', new Audience(), newer.start)
  older.resolve('older')
  expect(await before).toBe('older')
  expect(flights.joinable('k')?.promise).toBe(after)
  newer.resolve('newer')
  expect(await after).toBe('newer')
  expect(flights.joinable('k')).toBeUndefined()
})

test('all can be detached at once', () => {
  const flights = new SingleFlight<string>(new FakeClock())
  for (const id of ['a', 'b']) void flights.start(id, new Audience(), run<string>().start)
  flights.detachAll(() => true)
  expect([flights.joinable('a'), flights.joinable('b')]).toEqual([undefined, undefined])
})

test('a deserted run is not joined: who comes then starts another, and who waits for long has another spare one', () => {
  const flights = new SingleFlight<string>(new FakeClock())
  const [audience, ofSpare] = [new Audience(), new Audience()]
  void flights.start('k', audience, run<string>().start)
  const spare = flights.spare('k', Number.POSITIVE_INFINITY, ofSpare, run<string>().start)
  expect(flights.joinable('k')?.audience).toBe(audience)
  audience.leave(undefined)
  expect(flights.joinable('k')).toBeUndefined()
  const next = flights.start('k', new Audience(), run<string>().start)
  expect(flights.joinable('k')?.promise).toBe(next)
  ofSpare.leave(undefined)
  expect(flights.spare('k', Number.POSITIVE_INFINITY, new Audience(), run<string>().start)).not.toBe(spare)
})

test('settled waits for all runs, detached and failing ones too', async () => {
  const clock = new FakeClock()
  const flights = new SingleFlight<number>(clock)
  await flights.settled()
  const [kept, detached] = [run<number>(), run<number>()]
  flights.start('kept', new Audience(), kept.start).catch(() => {})
  flights.start('detached', new Audience(), detached.start).catch(() => {})
  flights.detach('detached')
  const states: string[] = []
  const done = flights.settled().then(() => void states.push('settled'))
  kept.reject(new Error('broken'))
  await new Promise(setImmediate)
  states.push('one is left')
  detached.resolve(1)
  await done
  expect(states).toEqual(['one is left', 'settled'])
})

test('a run may be succeeded by another one, for those who come from then on', async () => {
  const flights = new SingleFlight<string>(new FakeClock())
  const [first, next] = [run<string>(), run<string>()]
  const before = flights.start('k', new Audience(), first.start)
  flights.succeed('k', before, next.start())
  first.reject(new Error('late'))
  await expect(before).rejects.toThrow('late')
  const joined = flights.joinable('k')?.promise
  next.resolve('next')
  expect(await joined).toBe('next')
  expect(flights.joinable('k')).toBeUndefined()
})

test('a run that was detached has no successor, and what becomes of that is waited for all the same', async () => {
  const flights = new SingleFlight<string>(new FakeClock())
  const [first, next] = [run<string>(), run<string>()]
  const before = flights.start('k', new Audience(), first.start)
  flights.detach('k')
  flights.succeed('k', before, next.start())
  expect(flights.joinable('k')).toBeUndefined()
  first.resolve('first')
  let isSettled = false
  const settled = flights.settled().then(() => (isSettled = true))
  await before
  expect(isSettled).toBe(false)
  next.reject(new Error('nobody’s'))
  await settled
})

test('a spare run is one for all who ask for it, until it ends or is detached; newcomers do not join it', async () => {
  const flights = new SingleFlight<string>(new FakeClock())
  const spares = [run<string>(), run<string>(), run<string>()] as const
  let started = 0
  const start = () => (spares[started++] as (typeof spares)[0]).start()
  const both = [
    flights.spare('k', Number.POSITIVE_INFINITY, new Audience(), start),
    flights.spare('k', Number.POSITIVE_INFINITY, new Audience(), start),
  ]
  expect(started).toBe(1)
  expect(flights.joinable('k')).toBeUndefined()
  flights.detach('k')
  const after = flights.spare('k', Number.POSITIVE_INFINITY, new Audience(), start)
  expect(started).toBe(2)
  spares[0].resolve('old')
  spares[1].resolve('new')
  expect(await Promise.all([...both, after].map(({ promise }) => promise))).toEqual(['old', 'old', 'new'])
  void flights.spare('k', Number.POSITIVE_INFINITY, new Audience(), start)
  flights.detachAll(() => true)
  void flights.spare('other', Number.POSITIVE_INFINITY, new Audience(), run<string>().start)
  expect(started).toBe(3)
})

test('a run is joined only while it is no older than the one who comes may join', async () => {
  const clock = new FakeClock()
  const flights = new SingleFlight<string>(clock)
  const first = flights.start('k', new Audience(), run<string>().start)
  const spare = flights.spare('k', 1000, new Audience(), run<string>().start)
  clock.advance(1000)
  expect(flights.joinable('k', 1000)?.promise).toBe(first)
  expect(flights.spare('k', 1000, new Audience(), run<string>().start)).toBe(spare)
  clock.advance(1)
  expect(flights.joinable('k', 1000)).toBeUndefined()
  expect(flights.joinable('k')?.promise).toBe(first)
  const second = flights.start('k', new Audience(), run<string>().start)
  expect(flights.joinable('k', 1000)?.promise).toBe(second)
  expect(flights.spare('k', 1000, new Audience(), run<string>().start)).not.toBe(spare)
})
