import type { LoadContext } from '../../src/cache/load-context.ts'

interface Run<T> {
  readonly context: LoadContext
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** A loader that answers when told to, so that a test forces the order of events. */
export class ScriptedLoader<T> {
  readonly #runs: Run<T>[] = []
  readonly #arrivals: (() => void)[] = []
  /** How many runs were started. */
  started = 0

  readonly load = (context: LoadContext): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      this.started++
      this.#runs.push({ context, resolve, reject })
      for (const arrived of this.#arrivals.splice(0)) arrived()
    })

  /** Resolves when `count` runs have been started in all. */
  async running(count = 1): Promise<void> {
    while (this.started < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }

  /** The oldest run that was not answered yet. */
  #next(): Run<T> {
    const run = this.#runs.shift()
    if (!run) throw new Error('no run of the loader waits for an answer')
    return run
  }

  answer(value: T): void {
    this.#next().resolve(value)
  }

  fail(error: unknown): void {
    this.#next().reject(error)
  }

  /** Lets the oldest run use its context, then answers. */
  answerWith(act: (context: LoadContext) => T): void {
    const run = this.#next()
    run.resolve(act(run.context))
  }
}
