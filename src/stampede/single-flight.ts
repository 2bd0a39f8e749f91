import type { Clock } from '../clock.ts'

/**
 * One run per key in this process: who asks while a run is under way gets its outcome, whether that is a value or a
 * failure.
 */
export class SingleFlight<T> {
  readonly #joinable = new Map<string, Promise<T>>()
  readonly #spare = new Map<string, Promise<T>>()
  /** All runs, those that were detached too. */
  readonly #running = new Set<Promise<T>>()

  /** The run under way, if there is one that may be joined. */
  joinable(id: string): Promise<T> | undefined {
    return this.#joinable.get(id)
  }

  /** Starts a run that others may join until it ends or is detached. */
  start<R extends T>(id: string, run: () => Promise<R>): Promise<R> {
    const promise = run()
    this.#joinable.set(id, promise)
    this.#track(this.#joinable, id, promise)
    return promise
  }

  /**
   * Lets who comes from now on join `next` in place of a run, unless that was detached. What becomes of `next` is
   * nobody's failure but theirs.
   */
  succeed(id: string, run: Promise<T>, next: Promise<T>): void {
    if (this.#joinable.get(id) === run) this.#joinable.set(id, next)
    this.#track(this.#joinable, id, next)
  }

  /**
   * Joins the spare run of a key, or starts it: one for all who will not wait any longer for the run under way.
   * Newcomers do not join it.
   */
  spare(id: string, run: () => Promise<T>): Promise<T> {
    const running = this.#spare.get(id)
    if (running) return running
    const promise = run()
    this.#spare.set(id, promise)
    this.#track(this.#spare, id, promise)
    return promise
  }

  /** Lets the runs of a key go on for those who joined them; who comes from now on starts another. */
  detach(id: string): void {
    this.#joinable.delete(id)
    this.#spare.delete(id)
  }

  detachAll(): void {
    this.#joinable.clear()
    this.#spare.clear()
  }

  #track(runs: Map<string, Promise<T>>, id: string, promise: Promise<T>): void {
    this.#running.add(promise)
    const end = () => {
      this.#running.delete(promise)
      // Only our own: after a detachment a newer run may stand here.
      if (runs.get(id) === promise) runs.delete(id)
    }
    promise.then(end, end)
  }

  /** Resolves when all runs have ended, or after `ms`. */
  async settled(ms: number, clock: Clock): Promise<void> {
    if (this.#running.size === 0) return
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(ms, resolve)
    })
    await Promise.race([Promise.allSettled(this.#running), late])
    cancel()
  }
}
