import { expect, test } from 'vitest'
import { Waiting } from '../../src/stampede/waiting.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const k = { namespace: '_', key: 'k' }

test('a call wakes all who wait for its key, and nobody else', async () => {
  const clock = new FakeClock()
  const waiting = new Waiting(clock)
  const [one, two, other, elsewhere] = [k, k, { namespace: '_', key: 'other' }, { namespace: 'a', key: 'k' }].map(
    (address) => waiting.take(address),
  )
  const woken = Promise.all([one?.called(100), two?.called(100)])
  const late = Promise.all([other?.called(100), elsewhere?.called(100)])
  waiting.call(k)
  expect(await woken).toEqual([true, true])
  clock.advance(100)
  expect(await late).toEqual([false, false])
  expect(clock.pending).toBe(0)
})

test('a call between taking the place and waiting is not lost, and counts once', async () => {
  const clock = new FakeClock()
  const waiting = new Waiting(clock)
  const place = waiting.take(k)
  waiting.call(k)
  waiting.call(k)
  expect(await place.called(100)).toBe(true)
  const again = place.called(100)
  clock.advance(100)
  expect(await again).toBe(false)
})

test('a call that woke somebody does not answer his next wait', async () => {
  const clock = new FakeClock()
  const waiting = new Waiting(clock)
  const place = waiting.take(k)
  const first = place.called(100)
  waiting.call(k)
  expect(await first).toBe(true)
  const second = place.called(100)
  clock.advance(100)
  expect(await second).toBe(false)
})

test('a call to all wakes all who wait, for whatever key, and is not lost on who is about to wait', async () => {
  const waiting = new Waiting(new FakeClock())
  const places = [k, { namespace: '_', key: 'other' }, { namespace: 'a', key: 'k' }].map((each) => waiting.take(each))
  const woken = places.slice(1).map((place) => place.called(100))
  waiting.callAll(() => true)
  expect(await Promise.all(woken)).toEqual([true, true])
  expect(await places[0]?.called(100)).toBe(true)
})

test('who leaves while it waits goes on at once, uncalled, and no timer is left', async () => {
  const clock = new FakeClock()
  const waiting = new Waiting(clock)
  const place = waiting.take(k)
  const outcome = place.called(100)
  place.leave()
  expect(await outcome).toBe(false)
  expect(clock.pending).toBe(0)
})

test('who has left is not called', async () => {
  const clock = new FakeClock()
  const waiting = new Waiting(clock)
  const [left, stays] = [waiting.take(k), waiting.take(k)]
  left.leave()
  left.leave()
  waiting.call(k)
  const outcome = left.called(100)
  clock.advance(100)
  expect(await outcome).toBe(false)
  expect(await stays.called(100)).toBe(true)
  stays.leave()
  expect(() => waiting.call(k)).not.toThrow()
})
