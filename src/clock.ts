import { randomBytes } from 'node:crypto'

/**
 * Time, timers and chance as one port: the only place where the process's own are used, so that tests bring theirs.
 *
 * Instants inside a process are monotonic milliseconds (`now`); wall time only meets the outside (HTTP dates, Redis).
 */
export interface Clock {
  /**
   * Monotonic milliseconds since some moment; never goes back, and passes while the machine sleeps. So a duration that is
   * measured by it has passed in monotonic and in wall time.
   */
  now(): number
  /** How often wall time was found to have gone another way than monotonic time: a sleep, or a clock that was set. */
  readonly jumps: number
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

/** Wall time is looked at once in so long: looking costs as much as all the rest of a hit. */
const LOOK_EVERY_MS = 0.1
/** Wall time has millisecond steps, and a process may be stopped between two looks at two clocks. */
const JUMP_LEAST_MS = 20

/**
 * Monotonic time that passes while the machine sleeps. Linux stops its monotonic clock then, and sets wall time right
 * afterwards: what wall time gains is added. What it loses (it was set back) is not: time never goes back here.
 */
export class WakefulTime {
  jumps = 0
  readonly #monotonic: () => number
  readonly #wall: () => number
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Wall time less monotonic time, at the last look. */
  #difference: number
  #sleptMs = 0

  constructor(monotonic: () => number, wall: () => number) {
    this.#monotonic = monotonic
    this.#wall = wall
    this.#difference = wall() - monotonic()
  }

  now(): number {
    const now = this.#monotonic()
    if (now - this.#lookedAt > LOOK_EVERY_MS) this.#look(now)
    return now + this.#sleptMs
  }

  #look(now: number): void {
    const gained = this.#wall() - now - this.#difference
    const lookedAt = this.#monotonic()
    // Stopped between the two looks: they cannot be compared. The next call looks again.
    if (lookedAt - now > JUMP_LEAST_MS / 2) return
    this.#lookedAt = now
    if (Math.abs(gained) < JUMP_LEAST_MS) return
    this.jumps++
    this.#difference += gained
    if (gained > 0) this.#sleptMs += gained
  }
}

const performance = globalThis.performance
const time = new WakefulTime(
  () => performance.now(),
  () => Date.now(),
)

/** Random bytes are drawn so many at once: a draw costs more than what it brings. */
const DRAWN_AT_ONCE = 4096

let drawn = Buffer.alloc(0)
let used = 0

/** Random bytes that nobody had before. */
function chance(bytes: number): Buffer {
  if (used + bytes > drawn.length) {
    drawn = randomBytes(Math.max(bytes, DRAWN_AT_ONCE))
    used = 0
  }
  used += bytes
  return drawn.subarray(used - bytes, used)
}

/** The process's own time and chance. */
export const systemClock: Clock = {
  now: () => time.now(),
  get jumps() {
    return time.jumps
  },
  wall: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, LONGEST_TIMER_MS))
    return () => clearTimeout(timer)
  },
  inBackground(ms, action) {
    const timer = setTimeout(action, Math.min(ms, LONGEST_TIMER_MS)).unref()
    return () => clearTimeout(timer)
  },
  random: () => chance(4).readUInt32BE() / 2 ** 32,
  nonce: (bytes) => chance(bytes).toString('hex'),
}
