import { linesOf } from './message.ts'
import { unsentFields } from './targeted.ts'
import type { Answer, HeadOrders, Watcher } from './exchange.ts'
import type { Fields, FieldValue, ResponseHead } from './message.ts'
import type { TargetedSettings } from './targeted.ts'

/** Watches a response that is not stored: it gets its Cache-Status, and is let alone. */
export class Passing implements Watcher {
  readonly hidesConditionals = false
  readonly mayReplace: boolean = false
  readonly watchesBody = false
  readonly holdsEnd = false
  readonly #cacheStatus: string
  readonly #settings: TargetedSettings

  constructor(cacheStatus: string, settings: TargetedSettings) {
    this.#cacheStatus = cacheStatus
    this.#settings = settings
  }

  head(head: ResponseHead): HeadOrders {
    return asWritten(head, this.#cacheStatus, this.#settings)
  }

  chunk(): boolean {
    return false
  }

  beforeEnd(): undefined {}

  over(): void {}

  setTtl(): void {}

  skip(): void {}

  addTags(): void {}

  refine(): void {}
}

/**
 * The head as the application wrote it, with our Cache-Status behind those of caches further inside, and without the
 * fields that speak to this cache alone.
 */
export function asWritten(head: ResponseHead, cacheStatus: string, settings: TargetedSettings): HeadOrders {
  const { status, fields } = head
  const without = unsentFields(fields, settings)
  return { status, without, set: [withCacheStatus(fields, cacheStatus)], watchBody: false }
}

/** RFC 9211, section 2: each cache adds its member behind the others. */
export function withCacheStatus(fields: Fields, cacheStatus: string): [name: string, value: FieldValue] {
  const earlier = linesOf(fields, 'cache-status')
  return ['Cache-Status', earlier.length === 0 ? cacheStatus : [...earlier, cacheStatus].join(', ')]
}

/** Sends an answer of ours, whatever the application writes. */
export function instead(answer: Answer): HeadOrders {
  return { status: answer.status, without: [], set: [], watchBody: false, instead: answer }
}
