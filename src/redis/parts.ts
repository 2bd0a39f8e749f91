import type { Clock } from '../clock.ts'
import type { Counters } from '../counters/counters.ts'
import type { Events } from '../events.ts'
import type { Warnings } from './warnings.ts'

export interface ServerSettings {
  readonly commandTimeoutMs: number
  /** The first word of all names, for people who must grant rights on them. */
  readonly prefix: string
  /** Lua texts that a server is to know before the first command, so that none of them has to be sent twice. */
  readonly scripts?: readonly string[]
}

/** What all servers of one cache have in common. */
export interface ServerParts {
  readonly settings: ServerSettings
  readonly clock: Clock
  readonly events: Events
  readonly counters: Counters
  readonly warnings: Warnings
}
