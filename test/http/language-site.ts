import { assemble } from '../../src/create-cache.ts'
import { HttpCache } from '../../src/http/http-cache.ts'
import { PATIENCE_MS } from '../../src/http/recording.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ask, requestOf } from './plain-exchange.ts'
import type { Watcher } from '../../src/http/exchange.ts'
import type { Fields } from '../../src/http/message.ts'
import type { Got } from './plain-exchange.ts'

/** The engine over L1, in front of one page that has a variant for each language. */
export class LanguageSite {
  readonly clock = new FakeClock()
  readonly cache = assemble(undefined, this.clock)
  readonly engine = new HttpCache(this.cache, undefined)
  readonly #fieldsOf: (language: string) => Fields

  /** `more`: what a variant says beside how long it is fresh and by what it varies. */
  constructor(more: (language: string) => Fields = () => []) {
    this.#fieldsOf = (language) => [['Cache-Control', 'max-age=600'], ['Vary', 'Accept-Language'], ...more(language)]
  }

  /** What a client gets; `body` is what the application would answer. */
  async get(language: string, body: string): Promise<Got> {
    const got = await ask(this.engine, this.#request(language), () => ({ fields: this.#fieldsOf(language), body }))
    await turns()
    return got
  }

  /** A request whose handler has sent its head. */
  async begin(language: string): Promise<Handling> {
    const watchers: Watcher[] = []
    this.engine.handle({
      request: this.#request(language),
      isGone: () => false,
      answer: () => {
        throw new Error('it was answered from the cache')
      },
      forward: (watcher) => watchers.push(watcher),
    })
    await turns()
    const [watcher] = watchers
    if (!watcher) throw new Error('the application was not asked')
    watcher.head({ status: 200, fields: this.#fieldsOf(language) })
    return new Handling(watcher, this.clock)
  }

  #request(language: string) {
    return requestOf({ headers: { 'accept-language': language } })
  }
}

/** A handler whose response is under way. */
class Handling {
  readonly #watcher: Watcher
  readonly #clock: FakeClock

  constructor(watcher: Watcher, clock: FakeClock) {
    this.#watcher = watcher
    this.#clock = clock
  }

  /** It takes so long that nobody waits for it any more. */
  async comesLate(): Promise<void> {
    this.#clock.advance(PATIENCE_MS)
    await turns()
  }

  async end(body: string): Promise<void> {
    this.#watcher.chunk(Buffer.from(body))
    this.#watcher.over(true)
    await turns()
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
