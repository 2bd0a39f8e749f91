import { addressName } from './server-name.ts'
import type { RedisConnection } from './source.ts'

const SWITCHED = '+switch-master'

/**
 * Hears from sentinels that they have put another server in the place of a master. The former one, if it still runs, goes on
 * as a master for seconds, and what it acknowledges then is lost.
 */
export class FailoverWatch {
  readonly #sentinels: readonly RedisConnection[]

  /** `name`: that of the master. `switched` is told the address of its successor, as {@link addressName}, by each sentinel. */
  constructor(sentinels: readonly RedisConnection[], name: string, switched: (address: string) => void) {
    this.#sentinels = sentinels
    for (const sentinel of sentinels) {
      sentinel.on('error', () => {})
      // One that refuses this, or is away, costs the time until the former master is demoted.
      sentinel.on('ready', () => void sentinel.subscribe(SWITCHED).catch(() => {}))
      sentinel.on('message', (_channel: string, text: string) => {
        const [of, , , host = '', port] = text.split(' ')
        if (of === name) switched(addressName(host, Number(port)))
      })
    }
  }

  close(): void {
    for (const sentinel of this.#sentinels) sentinel.disconnect()
  }
}
