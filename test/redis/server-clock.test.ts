import { expect, test } from 'vitest'
import { ServerClock } from '../../src/redis/server-clock.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

function measured() {
  const clock = new FakeClock({ now: 1000 })
  const server = new ServerClock(clock)
  clock.advance(20)
  server.measured(['1700000000', '500000'], 1000)
  return { clock, server }
}

test('is unknown at first, and when it was forgotten', () => {
  const { server } = measured()
  expect(new ServerClock(new FakeClock()).offsetMs).toBeUndefined()
  server.forget()
  expect(server.offsetMs).toBeUndefined()
})

test('half of the round trip is taken off', () => {
  expect(measured().server.offsetMs).toBe(1_700_000_000_500 - 1010)
})

test.each([60_000, -60_000])(
  'is unknown after our clocks have drifted apart by %d ms, until it is asked again',
  (ms) => {
    const { clock, server } = measured()
    clock.jumpWall(ms)
    expect(server.offsetMs).toBeUndefined()
    server.measured(['1700000060', '0'], clock.now())
    expect(server.offsetMs).toBe(1_700_000_060_000 - clock.now())
  },
)
