import type { Clock } from '../clock.ts'
import type { Audience } from './audience.ts'

/** A run under way, and those who wait for it. Who takes its outcome joins them. */
export interface Run<T> {
  readonly promise: Promise<T>
  readonly audience: Audience
  readonly startedAt: number
}

/**
 * One run per key in this process: who asks while a run is under way gets its outcome, whether that is a value or a
 * failure.
 */
export class SingleFlight<T> {
  readonly #clock: Clock
  readonly #joinable = new Map<string, Run<T>>()
  readonly #spare = new Map<string, Run<T>>()
  /** All runs, those that were detached too. */
  readonly #running = new Set<Promise<T>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The run under way, if there is one that may be joined: it began `ageMs` ago at most, and is not deserted. */
  joinable(id: string, ageMs = Number.POSITIVE_INFINITY): Run<T> | undefined {
    return this.#young(this.#joinable, id, ageMs)
  }

  #young(runs: ReadonlyMap<string, Run<T>>, id: string, ageMs: number): Run<T> | undefined {
    const run = runs.get(id)
    return run && !run.audience.isDeserted && this.#clock.now() - run.startedAt <= ageMs ? run : undefined
  }

  /** Starts a run that others may join until it ends, is detached or deserted. */
  start<R extends T>(id: string, audience: Audience, run: () => Promise<R>): Promise<R> {
    const startedAt = this.#clock.now()
    const promise = run()
    this.#joinable.set(id, { promise, audience, startedAt })
    this.#track(this.#joinable, id, promise)
    return promise
  }

  /**
   * Lets who comes from now on join `next` in place of a run, unless that was detached. What becomes of `next` is
   * nobody's failure but theirs.
   */
  succeed(id: string, run: Promise<T>, next: Promise<T>): void {
    const there = this.#joinable.get(id)
    if (there?.promise === run) this.#joinable.set(id, { ...there, promise: next })
    this.#track(this.#joinable, id, next)
  }

  /**
   * The spare run of a key that began `ageMs` ago at most, or a new one: one for all who will not wait any longer for the
   * run under way. Newcomers do not join it.
   */
  spare(id: string, ageMs: number, audience: Audience, run: () => Promise<T>): Run<T> {
    const running = this.#young(this.#spare, id, ageMs)
    if (running) return running
    const startedAt = this.#clock.now()
    const promise = run()
    const spare = { promise, audience, startedAt }
    this.#spare.set(id, spare)
    this.#track(this.#spare, id, promise)
    return spare
  }

  /** Lets the runs of a key go on for those who joined them; who comes from now on starts another. */
  detach(id: string): void {
    this.#joinable.delete(id)
    this.#spare.delete(id)
  }

  /** Detaches the run of a key that was started for these, if it is the one under way. */
  detachRun(id: string, audience: Audience): void {
    if (this.#joinable.get(id)?.audience === audience) this.#joinable.delete(id)
  }

  /** Detaches the runs of all keys that `isMeant` says. */
  detachAll(isMeant: (id: string) => boolean): void {
    for (const runs of [this.#joinable, this.#spare]) for (const id of runs.keys()) if (isMeant(id)) runs.delete(id)
  }

  #track(runs: Map<string, Run<T>>, id: string, promise: Promise<T>): void {
    this.#running.add(promise)
    const end = () => {
      this.#running.delete(promise)
      // Only our own: after a detachment a newer run may stand here.
      if (runs.get(id)?.promise === promise) runs.delete(id)
    }
    promise.then(end, end)
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}
