import type { LoadOutcome } from './messages.ts'
import type { Random } from './random.ts'

/** The truth behind the caches: a version per key, and an answer to each loader a while after it was asked. */
export class Database {
  readonly #versions = new Map<string, number>()
  readonly #random: Random
  readonly #mostMs: number
  readonly #failing: number
  /** How long every answer takes from now on; `undefined`: as chance has it. */
  answerMs: number | undefined

  /** `mostMs`: how long a loader takes at most. `failing`: how often one fails or skips. */
  constructor(random: Random, mostMs: number, failing: number) {
    this.#random = random
    this.#mostMs = mostMs
    this.#failing = failing
  }

  version(key: string): number {
    return this.#versions.get(key) ?? 1
  }

  /** Changes keys. Answers their new versions. */
  raise(keys: readonly string[]): Record<string, number> {
    const raised = keys.map((key) => [key, this.version(key) + 1] as const)
    for (const [key, version] of raised) this.#versions.set(key, version)
    return Object.fromEntries(raised)
  }

  /** Takes the version now, and answers it later. */
  load(key: string, answer: (version: number, outcome: LoadOutcome) => void): void {
    const version = this.version(key)
    const outcome = this.#random.chance(this.#failing) ? this.#random.pick(['failed', 'skipped'] as const) : 'loaded'
    // Most databases are quick; it is the slow answers that meet invalidations.
    const ms = this.#random.chance(0.4) ? this.#random.between(1, 30) : this.#random.between(1, this.#mostMs)
    setTimeout(() => answer(version, outcome), this.answerMs ?? ms)
  }
}
