import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly dueAt: number
  readonly order: number
  readonly action: () => void
}

/** A clock that stands still until a test moves it, and whose chance is the same in every run. */
export class FakeClock implements Clock {
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

  jumps = 0

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

  /** Moves time on. Timers that become due run in the order of their instants, those that they start on the way too. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let next = this.#nextDue(until); next; next = this.#nextDue(until)) {
      this.#moveTo(Math.max(this.#now, next.dueAt))
      this.#timers = this.#timers.filter((each) => each !== next)
      next.action()
    }
    this.#moveTo(until)
  }

  /** Moves wall time alone, as an operator, NTP or a machine that slept does. What it gains has passed; no timer runs. */
  jumpWall(ms: number): void {
    this.#wall += ms
    this.#now += Math.max(0, ms)
    this.jumps++
  }

  #moveTo(now: number): void {
    this.#wall += now - this.#now
    this.#now = now
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
