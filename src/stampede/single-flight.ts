import type { Clock } from '../clock.ts'

/**
 * One run per key in this process: who asks while a run is under way gets its outcome, whether that is a value or a
 * failure.
 */
export class SingleFlight<T> {
  readonly #joinable = new Map<string, Promise<T>>()
  /** All runs, those that were detached too. */
  readonly #running = new Set<Promise<T>>()

  /** The run under way, if there is one that may be joined. */
  joinable(id: string): Promise<T> | undefined {
    return this.#joinable.get(id)
  }

  /** Starts a run that others may join until it ends or is detached. */
  start(id: string, run: () => Promise<T>): Promise<T> {
    const promise = run()
    this.#joinable.set(id, promise)
    this.#running.add(promise)
    const end = () => {
      this.#running.delete(promise)
      // Only our own: after a detachment a newer run may stand here.
      if (this.#joinable.get(id) === promise) this.#joinable.delete(id)
    }
    promise.then(end, end)
    return promise
  }

  /** Lets a run go on for those who joined it; who comes from now on starts another. */
  detach(id: string): void {
    this.#joinable.delete(id)
  }

  detachAll(): void {
    this.#joinable.clear()
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
