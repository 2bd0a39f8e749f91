import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'

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
  expect(new Set(Array.from({ length: 500 }, () => systemClock.nonce(8))).size).toBe(500)
})
