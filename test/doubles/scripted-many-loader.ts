import type { LoadManyContext, ManyValues } from '../../src/cache/batch-loader.ts'

interface Run<T> {
  readonly missing: readonly string[]
  readonly context: LoadManyContext
  readonly resolve: (values: ManyValues<T>) => void
  readonly reject: (error: unknown) => void
}

/** A loader of many keys that answers when told to, so that a test forces the order of events. */
export class ScriptedManyLoader<T> {
  readonly #runs: Run<T>[] = []
  readonly #arrivals: (() => void)[] = []
  /** What each run was asked for, in the order of their starts. */
  readonly asked: (readonly string[])[] = []

  readonly load = (missing: readonly string[], context: LoadManyContext): Promise<ManyValues<T>> =>
    new Promise<ManyValues<T>>((resolve, reject) => {
      this.asked.push(missing)
      this.#runs.push({ missing, context, resolve, reject })
      for (const arrived of this.#arrivals.splice(0)) arrived()
    })

  /** Resolves when `count` runs have been started in all. */
  async running(count = 1): Promise<void> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }

  /** The context of the oldest run that was not answered yet. */
  get context(): LoadManyContext {
    return this.#oldest().context
  }

  #oldest(): Run<T> {
    const [run] = this.#runs
    if (!run) throw new Error('no run of the loader waits for an answer')
    return run
  }

  /** Answers the oldest run: with a value for each of its keys. */
  answer(value: (key: string) => T): void {
    const run = this.#oldest()
    this.answerWith(new Map(run.missing.map((key) => [key, value(key)])))
  }

  answerWith(values: ManyValues<T>): void {
    this.#oldest().resolve(values)
    this.#runs.shift()
  }

  fail(error: unknown): void {
    this.#oldest().reject(error)
    this.#runs.shift()
  }
}
