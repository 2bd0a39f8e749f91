import { randomBytes } from 'node:crypto'

/**
 * Time, timers and chance as one port: the only place where the process's own are used, so that tests bring theirs.
 *
 * Instants inside a process are monotonic milliseconds (`now`); wall time only meets the outside (HTTP dates, Redis).
 */
export interface Clock {
  /** Monotonic milliseconds since some moment; never goes back. */
  now(): number
  /** Milliseconds since 1970; may jump. */
  wall(): number
  /** Runs `action` once after `ms`: somebody waits for it, so it keeps the process alive. Returns its cancellation. */
  after(ms: number, action: () => void): () => void
  /** The same for what nobody waits for: it does not keep the process alive. */
  inBackground(ms: number, action: () => void): () => void
  /** A number in [0, 1), for jitter and early refresh. */
  random(): number
  /** `bytes` random bytes in hexadecimal, for tokens and nonces. */
  nonce(bytes: number): string
}

/** The longest delay that a Node timer takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const performance = globalThis.performance

/** The process's own time and chance. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, LONGEST_TIMER_MS))
    return () => clearTimeout(timer)
  },
  inBackground(ms, action) {
    const timer = setTimeout(action, Math.min(ms, LONGEST_TIMER_MS)).unref()
    return () => clearTimeout(timer)
  },
  random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  nonce: (bytes) => randomBytes(bytes).toString('hex'),
}
