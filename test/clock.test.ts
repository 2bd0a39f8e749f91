import { describe, expect, test } from 'vitest'
import { systemClock, WakefulTime } from '../src/clock.ts'

test('the monotonic instants do not go back, wall time is that of 1970', () => {
  const first = systemClock.now()
  expect(systemClock.now()).toBeGreaterThanOrEqual(first)
  expect(Math.abs(systemClock.wall() - Date.now())).toBeLessThan(1000)
})

test('a timer runs once, a cancelled one never', async () => {
  const ran: string[] = []
  const cancel = systemClock.after(1, () => void ran.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    systemClock.after(5, () => {
      ran.push('due')
      resolve()
    })
  })
  expect(ran).toEqual(['due'])
})

test('a delay longer than a Node timer takes does not fire at once', async () => {
  let fired = false
  const cancels = [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY].map((ms) =>
    systemClock.after(ms, () => {
      fired = true
    }),
  )
  await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)))
  for (const cancel of cancels) cancel()
  expect(fired).toBe(false)
})

test('a pending timer keeps the process alive, unless nobody waits for it', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const cancelBackground = systemClock.inBackground(60_000, () => {})
  expect(timers()).toBe(before)
  const cancel = systemClock.after(60_000, () => {})
  expect(timers()).toBe(before + 1)
  cancel()
  cancelBackground()
  expect(timers()).toBe(before)
})

test('a background timer runs once, a cancelled one never', async () => {
  const ran: string[] = []
  systemClock.inBackground(1, () => void ran.push('cancelled'))()
  systemClock.inBackground(2, () => void ran.push('due'))
  await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)))
  expect(ran).toEqual(['due'])
})

test('chance is spread over [0, 1), nonces are hexadecimal and distinct', () => {
  const drawn = Array.from({ length: 2000 }, () => systemClock.random())
  expect(drawn.every((each) => each >= 0 && each < 1)).toBe(true)
  expect(drawn.filter((each) => each < 0.5).length).toBeGreaterThan(700)
  expect(drawn.filter((each) => each >= 0.5).length).toBeGreaterThan(700)
  expect(systemClock.nonce(8)).toMatch(/^[0-9a-f]{16}$/)
  expect(systemClock.nonce(16)).toHaveLength(32)
  // More than are drawn at once.
  expect(new Set(Array.from({ length: 2000 }, () => systemClock.nonce(8))).size).toBe(2000)
  expect(systemClock.nonce(5000)).toHaveLength(10_000)
})

describe('time that passes while the machine sleeps', () => {
  /** Two clocks that are set by hand. */
  function clocks() {
    const at = { monotonic: 1000, wall: 1_700_000_000_000 }
    const time = new WakefulTime(
      () => at.monotonic,
      () => at.wall,
    )
    const pass = (monotonic: number, wall = monotonic) => {
      at.monotonic += monotonic
      at.wall += wall
    }
    return { at, time, pass }
  }

  test('is monotonic time while the two clocks agree', () => {
    const { time, pass } = clocks()
    const start = time.now()
    pass(5000, 5001)
    expect(time.now() - start).toBe(5000)
    expect(time.jumps).toBe(0)
  })

  test('counts what wall time gained: a sleep, or a clock that was set forward', () => {
    const { time, pass } = clocks()
    const start = time.now()
    pass(1, 3_600_001)
    expect(time.now() - start).toBe(3_600_001)
    pass(10)
    expect(time.now() - start).toBe(3_600_011)
    expect(time.jumps).toBe(1)
  })

  test('does not go back with a clock that was set back', () => {
    const { time, pass } = clocks()
    const start = time.now()
    pass(1, -3_600_000)
    expect(time.now() - start).toBe(1)
    expect(time.jumps).toBe(1)
    pass(1, 3_600_001)
    expect(time.now() - start).toBe(3_600_002)
    expect(time.jumps).toBe(2)
  })

  test('a stop between the looks at the two clocks is no jump', () => {
    let monotonic = 1000
    let stopMs = 0
    const wall = () => {
      monotonic += stopMs
      return 1_700_000_000_000 + monotonic
    }
    const time = new WakefulTime(() => monotonic, wall)
    monotonic += 1
    stopMs = 5000
    time.now()
    stopMs = 0
    expect([time.now(), time.jumps]).toEqual([6001, 0])
  })
})
