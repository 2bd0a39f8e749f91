import type { Clock } from '../clock.ts'
import { RedisNames } from '../entry/key.ts'
import { failureOf, isRefusal } from './failure.ts'
import type { GuardedConnection } from './guarded-connection.ts'
import type { ServerParts } from './parts.ts'
import type { ServerReport } from './server-report.ts'
import { readReport } from './server-report.ts'

/** How often a server is asked for its role. */
const LOOK_MS = 1000

/**
 * Looks again and again whether a master is one still. A demoted one goes on answering reads and proofs, which may lag, and
 * only those who write would notice.
 */
export class RoleWatch {
  readonly #look: () => Promise<boolean>
  readonly #clock: Clock
  readonly #demoted: () => void
  #cancel: () => void

  /** `look` answers whether it is a replica now. */
  constructor(look: () => Promise<boolean>, clock: Clock, demoted: () => void) {
    this.#look = look
    this.#clock = clock
    this.#demoted = demoted
    this.#cancel = this.#later()
  }

  #later(): () => void {
    return this.#clock.inBackground(LOOK_MS, () => {
      this.#cancel = this.#later()
      this.#look().then(
        (isReplica) => isReplica && this.#demoted(),
        () => {},
      )
    })
  }

  close(): void {
    this.#cancel()
  }
}

/** Asks a server whether it is a replica now, and for its history. Rejects when it does not answer. */
export async function askForRole(
  connection: GuardedConnection,
  database: number,
  parts: ServerParts,
): Promise<Pick<ServerReport, 'isReplica' | 'history'>> {
  try {
    return readReport(String(await connection.ask('INFO', (redis) => redis.call('INFO', 'replication'))))
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { isReplica: await refusesWrites(connection, database, parts), history: undefined }
  }
}

/** Asks one that says nothing of itself to this user, by a write that changes nothing. */
export async function refusesWrites(
  connection: GuardedConnection,
  database: number,
  { settings }: ServerParts,
): Promise<boolean> {
  const { nothing } = new RedisNames(settings.prefix, database)
  try {
    await connection.ask('SET', (redis) => redis.call('SET', nothing, '', 'XX'))
    return false
  } catch (error) {
    if (!isRefusal(error)) throw error
    return failureOf('SET', error, settings.prefix).isOfReplica
  }
}
