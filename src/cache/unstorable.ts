import type { Address } from '../entry/entry.ts'
import { TierCacheError } from '../errors.ts'
import { Counters } from '../counters/counters.ts'
import type { Events } from '../events.ts'

/**
 * Loaded values that could not be encoded, or were too large. Each is counted and told; and each namespace where that
 * happens is warned of once, since each of its reads loads. At most {@link Counters.namespacesMost}
 * are: names may be made from data.
 */
export class Unstorable {
  readonly #counters: Counters
  readonly #events: Events
  readonly #warned = new Set<string>()

  constructor(counters: Counters, events: Events) {
    this.#counters = counters
    this.#events = events
  }

  noted({ namespace, key }: Address, error: unknown): void {
    this.#counters.unstorable++
    this.#events.tell('unstorable', () => ({ namespace, key, error }))
    if (this.#warned.has(namespace) || this.#warned.size >= Counters.namespacesMost) return
    this.#warned.add(namespace)
    const code = error instanceof TierCacheError ? error.code : 'ERR_UNSTORABLE_VALUE'
    const reason = error instanceof Error ? error.message : String(error)
    const which = JSON.stringify(key.slice(0, 40))
    this.#events.tell('warning', () => ({
      code,
      message: `what is loaded in the namespace '${namespace}' is not stored (${which}): ${reason}`,
    }))
  }
}
