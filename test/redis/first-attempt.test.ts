import { expect, test } from 'vitest'
import { FirstAttempt } from '../../src/redis/first-attempt.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

test('is over when it has succeeded, or cannot any more', async () => {
  const attempt = new FirstAttempt(250, new FakeClock())
  expect(attempt.isOver).toBe(false)
  attempt.finish()
  expect(attempt.isOver).toBe(true)
  await attempt.end
})

test('is over when it took too long', async () => {
  const clock = new FakeClock()
  const attempt = new FirstAttempt(250, clock)
  clock.advance(249)
  expect(attempt.isOver).toBe(false)
  clock.advance(1)
  expect(attempt.isOver).toBe(true)
  await attempt.end
})
