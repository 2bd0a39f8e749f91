import type { Clock } from '../clock.ts'

interface Timer {
  readonly dueAt: number
  readonly order: number
  readonly action: () => void
}

/** A clock that stands still until it is moved, and whose chance is the same in every run. */
export class ManualClock implements Clock {
  jumps = 0
  #now: number
  #wall: number
  #timers: Timer[] = []
  #order = 0
  #seed: number

  constructor({ now = 1_000, wall = 1_700_000_000_000, seed = 1 } = {}) {
    this.#now = now
    this.#wall = wall
    this.#seed = seed
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#wall
  }

  after(ms: number, action: () => void): () => void {
    const timer: Timer = { dueAt: this.#now + Math.max(0, ms), order: this.#order++, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  inBackground(ms: number, action: () => void): () => void {
    return this.after(ms, action)
  }

  /** A linear congruential generator (Numerical Recipes): enough for jitter, and the same in every run. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }

  nonce(bytes: number): string {
    let text = ''
    while (text.length < bytes * 2) {
      text += Math.floor(this.random() * 2 ** 16)
        .toString(16)
        .padStart(4, '0')
    }
    return text.slice(0, bytes * 2)
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length
  }

  /**
   * Moves time on, from one due timer to the next in the order of their instants, and then to the end. Each is handed out
   * to be run when it is its time; those that it starts on the way come too.
   */
  *passing(ms: number): Generator<() => void, void> {
    const until = this.#now + ms
    for (let next = this.#nextDue(until); next; next = this.#nextDue(until)) {
      const due = next
      this.#moveTo(due.dueAt)
      this.#timers = this.#timers.filter((each) => each !== due)
      yield due.action
    }
    this.#moveTo(until)
  }

  /** Moves wall time alone, as an operator, NTP or a machine that slept does. What it gains has passed; no timer runs. */
  jumpWall(ms: number): void {
    this.#wall += ms
    this.#now += Math.max(0, ms)
    this.jumps++
  }

  /** Time never goes back: somebody else may have moved it meanwhile. */
  #moveTo(instant: number): void {
    const gained = Math.max(0, instant - this.#now)
    this.#wall += gained
    this.#now += gained
  }

  #nextDue(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueAt > until) continue
      if (!next || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order)) next = timer
    }
    return next
  }
}
