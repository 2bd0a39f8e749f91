import { expect, test } from 'vitest'
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
  const flights = new SingleFlight<number>()
  const load = run<number>()
  expect(flights.joinable('k')).toBeUndefined()
  const promise = flights.start('k', load.start)
  expect(flights.joinable('k')).toBe(promise)
  expect(flights.joinable('other')).toBeUndefined()
  load.resolve(7)
  expect(await promise).toBe(7)
  expect(flights.joinable('k')).toBeUndefined()
})

test('a failure goes to those who joined, and ends the run', async () => {
  const flights = new SingleFlight<number>()
  const load = run<number>()
  const first = flights.start('k', load.start)
  const second = flights.joinable('k')
  load.reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  await expect(second).rejects.toThrow('broken')
  expect(flights.joinable('k')).toBeUndefined()
})

test('a detached run goes on for those who joined; its end does not end the newer one', async () => {
  const flights = new SingleFlight<string>()
  const [older, newer] = [run<string>(), run<string>()]
  const before = flights.start('k', older.start)
  flights.detach('k')
  expect(flights.joinable('k')).toBeUndefined()
  const after = flights.start('k', newer.start)
  older.resolve('older')
  expect(await before).toBe('older')
  expect(flights.joinable('k')).toBe(after)
  newer.resolve('newer')
  expect(await after).toBe('newer')
  expect(flights.joinable('k')).toBeUndefined()
})

test('all can be detached at once', () => {
  const flights = new SingleFlight<string>()
  for (const id of ['a', 'b']) void flights.start(id, run<string>().start)
  flights.detachAll()
  expect([flights.joinable('a'), flights.joinable('b')]).toEqual([undefined, undefined])
})

test('settled waits for all runs, detached and failing ones too', async () => {
  const clock = new FakeClock()
  const flights = new SingleFlight<number>()
  await flights.settled(1000, clock)
  const [kept, detached] = [run<number>(), run<number>()]
  flights.start('kept', kept.start).catch(() => {})
  flights.start('detached', detached.start).catch(() => {})
  flights.detach('detached')
  const states: string[] = []
  const done = flights.settled(1000, clock).then(() => void states.push('settled'))
  kept.reject(new Error('broken'))
  await new Promise(setImmediate)
  states.push('one is left')
  detached.resolve(1)
  await done
  expect(states).toEqual(['one is left', 'settled'])
  expect(clock.pending).toBe(0)
})

test('settled waits no longer than it is told', async () => {
  const clock = new FakeClock()
  const flights = new SingleFlight<number>()
  void flights.start('k', run<number>().start)
  const done = flights.settled(1000, clock)
  clock.advance(1000)
  await expect(done).resolves.toBeUndefined()
})
