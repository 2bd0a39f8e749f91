import { TierCacheError } from '../errors.ts'
import type { Audience } from '../stampede/audience.ts'

/** A promise of a call that has not settled. */
interface Call {
  reject(error: TierCacheError): void
}

/**
 * The life of a cache: it is open; then it is closing, and what was called before goes on; then it is over. At its end calls
 * that still go on are rejected, and those who wait for loads are sent away, so that no timer is left of them.
 */
export class Life {
  /** The closing, once it has begun. */
  closing: Promise<void> | undefined
  readonly #calls = new Set<Call>()
  readonly #audiences = new Set<Audience>()
  #whenIdle = () => {}
  /** What calls get from its end on. */
  #over: TierCacheError | undefined

  /** Throws `ERR_CLOSED` when the cache was closed. */
  assertOpen(): void {
    if (this.closing) throw closed()
  }

  /** The outcome of a call, for which the closing waits; `ERR_CLOSED` when the life of the cache ends before it. */
  attend<T>(outcome: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = { reject }
      this.#calls.add(call)
      outcome.then(
        (value) => {
          resolve(value)
          this.#left(call)
        },
        (error: unknown) => {
          reject(error)
          this.#left(call)
        },
      )
    })
  }

  #left(call: Call): void {
    this.#calls.delete(call)
    if (this.#calls.size === 0) this.#whenIdle()
  }

  /** Resolves when no call goes on. */
  async idle(): Promise<void> {
    while (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    }
  }

  /** Those who wait for a run: the end of the cache's life sends them away, at once when it is over. */
  bind(audience: Audience): void {
    if (this.#over) audience.dismiss(this.#over)
    else this.#audiences.add(audience)
  }

  /** Their run has ended. */
  release(audience: Audience): void {
    this.#audiences.delete(audience)
  }

  /** Answers what all get that still went on. */
  end(): TierCacheError {
    const over = closed()
    this.#over = over
    for (const call of this.#calls) call.reject(over)
    for (const audience of this.#audiences) audience.dismiss(over)
    this.#calls.clear()
    this.#audiences.clear()
    return over
  }
}

function closed(): TierCacheError {
  return new TierCacheError('ERR_CLOSED', 'the cache was closed')
}
