import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { badValue } from '../errors.ts'
import type { Duration } from '../options.ts'
import { definedOptions, readFiniteDuration, readInteger } from '../options.ts'
import { ManualClock } from './manual-clock.ts'

/** A clock that stands still until a test moves it. Timers of the process, and `Date`, are not touched. */
export interface TestClock extends Clock {
  /**
   * Lets time pass, and what becomes due in it run, in its order: values end, leases run out, timeouts are up. Before,
   * after each of these, and at the end, promises settle: whatever needs nothing but the clock has happened when this
   * resolves. What waits for the outside, such as a socket, has not.
   *
   * Throws `ERR_INVALID_OPTION` for what is no duration, or one without an end.
   *
   * @example
   * await clock.advance('5m')
   */
  advance(duration: Duration): Promise<void>
  /**
   * Resolves when so much time has passed: in a loader, how long it takes. It does not keep the process alive.
   *
   * @example
   * const slow = () => clock.sleep('3s').then(() => database.user(7))
   */
  sleep(duration: Duration): Promise<void>
}

/** Where a test clock begins. */
export interface TestClockOptions {
  /** Wall time, which HTTP dates are made of. Default: what it is now. */
  readonly wall?: Date | number | undefined
  /** Of `jitter` and all other chance, a whole number: the same in every run with the same seed. Default 1. */
  readonly seed?: number | undefined
}

/** As it was when this module was loaded: other fake timers may take its place. */
const { setImmediate } = globalThis

/** Reads of one turn of the event loop may be gathered into one, which ends in a later turn. */
const SETTLING_TURNS = 3

class SteppedClock extends ManualClock implements TestClock {
  async advance(duration: Duration): Promise<void> {
    const ms = readFiniteDuration('advance', duration, 0)
    await settled()
    for (const run of this.passing(ms)) {
      run()
      await settled()
    }
  }

  async sleep(duration: Duration): Promise<void> {
    const ms = readFiniteDuration('sleep', duration, 0)
    await new Promise<void>((resolve) => this.after(ms, resolve))
  }
}

/** Resolves when all promises have settled that wait for nothing but each other. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/**
 * Makes a clock that a test moves, for {@link createTestCache} and {@link createTestFleet}. Throws `ERR_UNKNOWN_OPTION` or
 * `ERR_INVALID_OPTION`.
 *
 * @example
 * const clock = createTestClock()
 * const cache = createTestCache({ defaults: { ttl: '1m', jitter: 0 } }, { clock })
 * await cache.set('rates', { eur: 1 })
 * await clock.advance('1m')
 * await cache.get('rates') // undefined
 */
export function createTestClock(options?: TestClockOptions): TestClock {
  const { wall, seed } = definedOptions('createTestClock', options, ['wall', 'seed'])
  return new SteppedClock({ wall: readInstant(wall), seed: readInteger('seed', seed ?? 1, 0, 2 ** 32 - 1) })
}

/** Whether it was made by {@link createTestClock}. */
export function isTestClock(clock: unknown): clock is TestClock {
  return clock instanceof SteppedClock
}

function readInstant(wall: Date | number | undefined): number {
  if (wall === undefined) return systemClock.wall()
  const instant = wall instanceof Date ? wall.getTime() : wall
  if (!Number.isFinite(instant)) {
    throw badValue('ERR_INVALID_OPTION', 'wall', 'a Date, or milliseconds since 1970', wall)
  }
  return instant
}
