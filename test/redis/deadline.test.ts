import { afterEach, beforeEach, expect, test } from 'vitest'
import { withDeadline } from '../../src/redis/deadline.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(() => void process.off('unhandledRejection', note))

/** When all that could be found unhandled has been. */
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('a promise in time is its own outcome, and its timer is gone', async () => {
  const clock = new FakeClock()
  const failure = new Error('its own')
  expect(await withDeadline(Promise.resolve(7), 'GET', 100, clock)).toBe(7)
  await expect(withDeadline(Promise.reject(failure), 'GET', 100, clock)).rejects.toBe(failure)
  expect(clock.pending).toBe(0)
})

test('a late one is ERR_REDIS_TIMEOUT at the deadline, not before', async () => {
  const clock = new FakeClock()
  let outcome: unknown = 'pending'
  withDeadline(new Promise(() => {}), 'MGET', 100, clock).catch((error: unknown) => {
    outcome = error
  })
  clock.advance(99)
  await settled()
  expect(outcome).toBe('pending')
  clock.advance(1)
  await settled()
  expect(outcome).toMatchObject({ code: 'ERR_REDIS_TIMEOUT', message: 'Redis did not answer MGET within 100 ms' })
})

test('what comes after the deadline is dropped: a value, and a rejection too', async () => {
  const clock = new FakeClock()
  const late = deferred<number>()
  const lateFailure = deferred<number>()
  const both = Promise.allSettled([
    withDeadline(late.promise, 'GET', 100, clock),
    withDeadline(lateFailure.promise, 'GET', 100, clock),
  ])
  clock.advance(100)
  late.resolve(1)
  lateFailure.reject(new Error('too late'))
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await settled()
  expect(unhandled).toEqual([])
})

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}
