import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { untilAborted, within, withinInBackground } from '../../src/cache/time-limit.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

for (const limited of [within, withinInBackground]) {
  test(`${limited.name}: the outcome in time, and no timer is left`, async () => {
    const clock = new FakeClock()
    expect(await limited(clock, Promise.resolve(7), 10)).toBe(7)
    await expect(limited(clock, Promise.reject(new Error('x')), 10)).rejects.toThrow('x')
    expect(clock.pending).toBe(0)
  })

  test(`${limited.name}: undefined after the limit; a failure after it is nobody's`, async () => {
    const clock = new FakeClock()
    let fail = (_: Error) => {}
    const late = limited(clock, new Promise<number>((_, reject) => (fail = reject)), 10)
    clock.advance(10)
    expect(await late).toBeUndefined()
    fail(new Error('late'))
  })

  test(`${limited.name}: without an end it has no timer`, async () => {
    const clock = new FakeClock()
    const endless = limited(clock, Promise.resolve(7), Number.POSITIVE_INFINITY)
    expect(clock.pending).toBe(0)
    expect(await endless).toBe(7)
  })
}

describe('untilAborted', () => {
  const never = () => expect.unreachable()

  test('without a signal it is the promise itself', () => {
    const promise = Promise.resolve(7)
    expect(untilAborted(undefined, promise, never)).toBe(promise)
  })

  test('the outcome in time, and no listener is left', async () => {
    const { signal } = new AbortController()
    expect(await untilAborted(signal, Promise.resolve(7), never)).toBe(7)
    await expect(untilAborted(signal, Promise.reject(new Error('x')), never)).rejects.toThrow('x')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('the reason as soon as it is aborted, which is told at once; a failure after that is nobody’s', async () => {
    const controller = new AbortController()
    const told: unknown[] = []
    let fail = (_: Error) => {}
    const limited = untilAborted(controller.signal, new Promise((_, reject) => (fail = reject)), (reason) =>
      told.push(reason),
    )
    controller.abort('why')
    expect(told).toEqual(['why'])
    fail(new Error('late'))
    await expect(limited).rejects.toBe('why')
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  test('an aborted signal: the reason, though the promise has its outcome', async () => {
    const told: unknown[] = []
    const limited = untilAborted(AbortSignal.abort('why'), Promise.resolve(7), (reason) => told.push(reason))
    await expect(limited).rejects.toBe('why')
    expect(told).toEqual(['why'])
  })

  test('many share one listener, which is there for as long as one of them waits', async () => {
    const { signal } = new AbortController()
    const ends: ((value: number) => void)[] = []
    const wait = () => untilAborted(signal, new Promise<number>((resolve) => ends.push(resolve)), never)
    const [first, second] = [wait(), wait()]
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    ends[0]?.(1)
    expect(await first).toBe(1)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    ends[1]?.(2)
    expect(await second).toBe(2)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const third = wait()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    ends[2]?.(3)
    expect(await third).toBe(3)
  })
})
