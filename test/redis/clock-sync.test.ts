import { expect, test, vi } from 'vitest'
import { FakeClock } from '../doubles/fake-clock.ts'
import { testClients } from './clients.ts'

const { server, rig } = testClients()

test('when our clocks jump, the time of the server is not known, and asked for again', async () => {
  const clock = new FakeClock()
  const made = rig(server().url, { clock })
  await made.connected()
  const before = made.bucket.offsetMs as number
  clock.jumpWall(3_600_000)
  expect(made.bucket.offsetMs).toBeUndefined()
  await vi.waitFor(() => expect(made.bucket.offsetMs).toBeDefined())
  expect(Math.abs((made.bucket.offsetMs as number) - (before - 3_600_000))).toBeLessThan(5000)
})

test('after each jump it is asked for once, however many find it unknown', async () => {
  const clock = new FakeClock()
  const made = rig(server().url, { clock })
  await made.connected()
  for (let jump = 0; jump < 2; jump++) {
    const before = made.counters.l2Timings.count
    clock.jumpWall(3_600_000)
    for (let reader = 0; reader < 3; reader++) expect(made.bucket.offsetMs).toBeUndefined()
    await vi.waitFor(() => expect(made.bucket.offsetMs).toBeDefined())
    expect(made.counters.l2Timings.count - before).toBe(1)
  }
})
