import type { Bus, BusListener } from './bus.ts'
import type { Notice } from '../entry/notice.ts'

/** Where memory buses meet: what one publishes, all of them hear, at once and in order. */
export class MemoryHub {
  readonly listeners = new Set<BusListener>()
  n = 0
}

/**
 * The bus without Redis: caches that share a hub stand for several processes, in tests and examples. A cache with a hub
 * of its own has nobody to hear of and is always current.
 */
export class MemoryBus implements Bus {
  readonly origin: string
  readonly verifiedAt = Number.POSITIVE_INFINITY
  readonly #hub: MemoryHub
  #listener: BusListener | undefined

  constructor(origin: string, hub = new MemoryHub()) {
    this.origin = origin
    this.#hub = hub
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    this.#hub.listeners.add(listener)
  }

  publish(operation: Notice['operation'], subject: string): void {
    const tip = String(++this.#hub.n)
    const notice = { previousTip: String(this.#hub.n - 1), tip, n: tip, operation, origin: this.origin, subject }
    for (const listener of this.#hub.listeners) listener.noticed(notice)
  }

  close(): void {
    if (this.#listener) this.#hub.listeners.delete(this.#listener)
  }
}
