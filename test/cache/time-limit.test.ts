import { expect, test } from 'vitest'
import { within, withinInBackground } from '../../src/cache/time-limit.ts'
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
