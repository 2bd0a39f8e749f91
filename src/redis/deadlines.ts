import type { Clock } from '../clock.ts'
import { lateAnswer } from './deadline.ts'

/** What waits for an answer until an instant (monotonic ms). */
interface Waiting {
  readonly command: string
  until: number
  readonly failed: (error: unknown) => void
  isOver: boolean
  earlier: Waiting | undefined
  later: Waiting | undefined
}

/**
 * The deadlines of commands that all have the same time to be answered: the one that was sent first is due first, and one
 * timer does for all. It is set anew when it has run out, and not for each command.
 *
 * A machine that slept, or whose clock was set forward, gave Redis no time in that: who waits then has the whole time once more.
 */
export class Deadlines {
  readonly #ms: number
  readonly #clock: Clock
  #first: Waiting | undefined
  #last: Waiting | undefined
  #isSet = false
  #jumps: number

  constructor(ms: number, clock: Clock) {
    this.#ms = ms
    this.#clock = clock
    this.#jumps = clock.jumps
  }

  /**
   * Tells the outcome of a command to one of the two, or `ERR_REDIS_TIMEOUT` when it is due. What comes later is dropped, a
   * rejection too.
   */
  watch(
    command: string,
    asked: Promise<unknown>,
    answered: (reply: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    const until = this.#clock.now() + this.#ms
    const each: Waiting = { command, until, failed, isOver: false, earlier: this.#last, later: undefined }
    if (this.#last) this.#last.later = each
    else this.#first = each
    this.#last = each
    if (!this.#isSet) this.#set(this.#ms)
    asked.then(
      (reply) => {
        if (this.#ends(each)) answered(reply)
      },
      (error: unknown) => {
        if (this.#ends(each)) failed(error)
      },
    )
  }

  /** The connection keeps the process alive for as long as there may be an answer. */
  #set(ms: number): void {
    this.#isSet = true
    this.#clock.inBackground(ms, () => this.#due())
  }

  #due(): void {
    const now = this.#clock.now()
    if (this.#jumps !== this.#clock.jumps) this.#beginAnew(now)
    try {
      // Who is told may send the next command, which needs no timer of its own.
      for (let each = this.#first; each && each.until <= now; each = this.#first) {
        this.#ends(each)
        each.failed(lateAnswer(each.command, this.#ms))
      }
    } finally {
      this.#isSet = false
      if (this.#first) this.#set(this.#first.until - now)
    }
  }

  /** Time that was found to have passed at once cannot be told from time that passed. */
  #beginAnew(now: number): void {
    this.#jumps = this.#clock.jumps
    for (let each = this.#first; each; each = each.later) each.until = now + this.#ms
  }

  /** Answers whether it has not ended before. */
  #ends(each: Waiting): boolean {
    if (each.isOver) return false
    each.isOver = true
    const { earlier, later } = each
    // What is never answered would keep all those alive that came after it.
    each.earlier = undefined
    each.later = undefined
    if (earlier) earlier.later = later
    else this.#first = later
    if (later) later.earlier = earlier
    else this.#last = earlier
    return true
  }
}
