import type { Clock } from '../clock.ts'

/** Longer than any deadline of a command: what is not through by then goes on without its client. */
const LONGEST_HOLD_MS = 1000

/** Waits for what a client should find done when it has its answer, only so long. Never fails. */
export function held(clock: Pick<Clock, 'after'>, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(LONGEST_HOLD_MS, resolve)
    const done = () => {
      cancel()
      resolve()
    }
    work.then(done, done)
  })
}
