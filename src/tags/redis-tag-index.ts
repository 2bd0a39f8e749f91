import type { Clock } from '../clock.ts'
import type { RedisNames } from '../entry/key.ts'
import { chainField } from '../entry/key.ts'
import { noticeBody } from '../entry/notice.ts'
import type { RedisClient } from '../redis/client.ts'
import { clear } from '../redis/scripts.ts'
import { namespaceGroup } from './marks.ts'
import type { TagIndex } from './tag-index.ts'

export interface RedisTagIndexSettings {
  readonly names: RedisNames
  /** This process, in notices. */
  readonly origin: string
}

/** How long a stamp lives that no entry carries yet. */
const UNUSED_STAMP_MS = 86_400_000

/** The tag index in Redis: one stamp per group, moved by a script that publishes the notice. */
export class RedisTagIndex implements TagIndex {
  readonly #client: RedisClient
  readonly #settings: RedisTagIndexSettings
  readonly #clock: Clock

  constructor(client: RedisClient, settings: RedisTagIndexSettings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
  }

  async clear(namespace: string): Promise<void> {
    const { names, origin } = this.#settings
    await clear(
      this.#client,
      { stamp: names.clearStamp(namespace), chain: names.chain, channel: names.channel },
      {
        tip: this.#clock.nonce(8),
        body: noticeBody('X', origin, namespace),
        field: chainField(namespaceGroup(namespace)),
        lifeMs: UNUSED_STAMP_MS,
      },
    )
  }
}
