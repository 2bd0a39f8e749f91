import { systemClock } from '../../src/clock.ts'

/**
 * Time that stands still until a test moves it, in whole seconds as HTTP counts them. It takes the place of the process's
 * own, so that every face and tier goes by it. Timers go on in real time: Redis is real, and its deadlines are.
 */
const { now: realNow, wall: realWall } = { now: systemClock.now, wall: systemClock.wall }
const startedAt = Math.ceil(realNow())
const startedWall = Math.ceil(realWall() / 1000) * 1000
let passedMs = 0

systemClock.now = () => startedAt + passedMs
systemClock.wall = () => startedWall + passedMs

/** Lets time pass, without anything noticing by itself. */
export function passTime(seconds: number): void {
  passedMs += seconds * 1000
}

/** Redis ends entries by its own time: ours may be ahead of it, never behind. */
export function catchUp(): void {
  passedMs = Math.max(passedMs, Math.ceil((realNow() - startedAt) / 1000) * 1000)
}
