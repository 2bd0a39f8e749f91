import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A clock that a test moves, at once: what a timer begins goes on when the test next waits for something. */
export class FakeClock extends ManualClock {
  /** Moves time on. Timers that become due run in the order of their instants, those that they start on the way too. */
  advance(ms: number): void {
    for (const run of this.passing(ms)) run()
  }
}
