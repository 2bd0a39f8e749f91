import { RedisNames } from '../entry/key.ts'
import type { ClockSync } from './clock-sync.ts'
import { failureOf, isRefusal, withoutArguments } from './failure.ts'
import type { GuardedConnection } from './guarded-connection.ts'
import type { ServerParts } from './parts.ts'
import type { Publishing } from './rights.ts'
import { inquiries } from './rights.ts'
import { refusesWrites } from './role.ts'
import type { ServerReport } from './server-report.ts'
import { readReport } from './server-report.ts'

export interface Greeting {
  /** Whether the connection is on its database; if it is not, that was told. */
  readonly isOnDatabase: boolean
  /** What the server says of itself; from one that refuses to, whether it is a replica. */
  readonly report: ServerReport
}

/**
 * What goes out first on a new connection: its database, our scripts, INFO and TIME. Nothing else is sent before the
 * server's time is known, since deadlines in Redis are in that time, and its run, since another one may have
 * lost what was acknowledged.
 *
 * Rejects when an answer is missing.
 */
export async function greet(
  connection: GuardedConnection,
  database: number,
  time: ClockSync,
  parts: ServerParts,
): Promise<Greeting> {
  const selected = select(connection, database, parts)
  for (const lua of parts.settings.scripts ?? []) {
    // A user without this right has each script sent as it is first needed.
    connection.ask('SCRIPT', (redis) => redis.call('SCRIPT', 'LOAD', lua)).catch(() => {})
  }
  const [isOnDatabase, report] = await Promise.all([
    selected,
    askForReport(connection, database, parts),
    time.measure(),
  ])
  return { isOnDatabase, report }
}

/** ioredis goes on, on database 0, when its own SELECT is refused: there are the entries of another cache. */
async function select(
  connection: GuardedConnection,
  database: number,
  { settings, warnings }: ServerParts,
): Promise<boolean> {
  if (database === 0) return true
  try {
    await connection.ask('SELECT', (redis) => redis.call('SELECT', database))
    return true
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { isOfServer, missingRight } = failureOf('SELECT', error, settings.prefix)
    if (isOfServer) throw error
    if (missingRight !== undefined) warnings.missingRight(connection.server, missingRight)
    warnings.tellOnce({
      code: 'ERR_NO_DATABASE',
      message:
        `database ${database} ${missingRight ? 'may not be selected' : 'does not exist'} on ${connection.server} ` +
        `(${withoutArguments(error.message)}). It is not used: L1 and loaders go on`,
      detail: { setting: 'db', found: String(database), expected: 'a database that exists' },
    })
    return false
  }
}

async function askForReport(
  connection: GuardedConnection,
  database: number,
  parts: ServerParts,
): Promise<ServerReport> {
  const { settings, warnings } = parts
  try {
    return readReport(String(await connection.ask('INFO', (redis) => redis.call('INFO'))))
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { missingRight } = failureOf('INFO', error, settings.prefix)
    if (missingRight !== undefined) warnings.missingRight(connection.server, missingRight)
    return { ...readReport(''), isReplica: await refusesWrites(connection, database, parts) }
  }
}

/** Tells what our scripts would be refused. Nobody waits for the answers. */
export function askForRights(
  connection: GuardedConnection,
  database: number,
  publishes: Publishing,
  { settings, warnings }: ServerParts,
): void {
  const { nothing } = new RedisNames(settings.prefix, database)
  for (const [command, ...values] of inquiries(nothing, publishes)) {
    connection
      .ask(command, (redis) => redis.call(command, ...values))
      .catch((error: unknown) => {
        const { missingRight } = failureOf(command, error, settings.prefix)
        if (missingRight !== undefined) warnings.missingRight(connection.server, missingRight)
      })
  }
}
