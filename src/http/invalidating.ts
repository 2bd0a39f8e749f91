import { asWritten } from './passing.ts'
import { forwardStatus } from './cache-status.ts'
import { invalidatedGroupTags } from './groups.ts'
import { invalidatedTargets } from './unsafe-methods.ts'
import type { HeadOrders, Watcher } from './exchange.ts'
import type { HttpRequest, ResponseHead } from './message.ts'
import type { TargetedSettings } from './targeted.ts'

/** What a response makes invalid: targets of its own origin, and tags of groups (RFC 9875). */
export interface Invalid {
  readonly targets: readonly string[]
  readonly tags: readonly string[]
}

/** Drops what is stored of something; settles when no later read in this process can find it. */
export type Invalidate = (invalid: Invalid) => Promise<unknown>

/**
 * Watches the response to an unsafe request, and drops what it makes invalid (RFC 9111, section 4.4).
 *
 * It is dropped twice, and the end is held back until the second time is done, because of this order of events (C is
 * a client that posts and then gets):
 *   app: sends the head of its answer to the POST, and goes on writing to its database
 *   C:   GET, answered by the application from the old rows and stored
 *   app: commits, and ends its answer
 *   C:   GET, answered from the store with the old page
 * A client that waits for its answer has it only when the page is gone; one that acts on the head alone gets no page
 * from before it. An answer that is ended together with its head needs, and has, only one round.
 */
export class Invalidating implements Watcher {
  readonly hidesConditionals = false
  readonly mayReplace = false
  readonly watchesBody = false
  readonly holdsEnd = true
  readonly #request: HttpRequest
  readonly #settings: TargetedSettings
  readonly #invalidate: Invalidate
  #invalid: Invalid = { targets: [], tags: [] }
  #running: Promise<unknown> | undefined
  #headJustSent = false

  constructor(request: HttpRequest, settings: TargetedSettings, invalidate: Invalidate) {
    this.#request = request
    this.#settings = settings
    this.#invalidate = invalidate
  }

  head(head: ResponseHead): HeadOrders {
    this.#invalid = {
      targets: invalidatedTargets(this.#request, head),
      tags: invalidatedGroupTags(this.#request, head),
    }
    this.#run()
    this.#headJustSent = true
    queueMicrotask(() => {
      this.#headJustSent = false
    })
    return asWritten(head, forwardStatus('method'), this.#settings)
  }

  beforeEnd(): Promise<unknown> | undefined {
    if (!this.#headJustSent) this.#run()
    return this.#running
  }

  chunk(): boolean {
    return false
  }

  over(): void {}

  setTtl(): void {}

  skip(): void {}

  addTags(): void {}

  refine(): void {}

  #run(): void {
    const { targets, tags } = this.#invalid
    if (targets.length + tags.length > 0) this.#running = this.#invalidate(this.#invalid)
  }
}
