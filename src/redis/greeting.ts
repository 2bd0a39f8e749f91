import type { ClockSync } from './clock-sync.ts'
import { failureOf, isRefusal } from './failure.ts'
import type { GuardedConnection } from './guarded-connection.ts'
import type { ServerParts } from './parts.ts'
import type { ServerReport } from './server-report.ts'
import { readReport } from './server-report.ts'

/**
 * What goes out first on a new connection: our scripts, INFO and TIME. Nothing else is sent before the server's time is
 * known, since deadlines in Redis are in that time, and its run, since another one may have lost what was acknowledged.
 *
 * Resolves with what the server says of itself; `undefined` from one that refuses to. Rejects when an answer is missing.
 */
export async function greet(
  connection: GuardedConnection,
  time: ClockSync,
  parts: ServerParts,
): Promise<ServerReport | undefined> {
  for (const lua of parts.settings.scripts ?? []) {
    // A user without this right has each script sent as it is first needed.
    connection.ask('SCRIPT', (redis) => redis.call('SCRIPT', 'LOAD', lua)).catch(() => {})
  }
  const [report] = await Promise.all([askForReport(connection, parts), time.measure()])
  return report
}

async function askForReport(
  connection: GuardedConnection,
  { settings, warnings }: ServerParts,
): Promise<ServerReport | undefined> {
  try {
    return readReport(String(await connection.ask('INFO', (redis) => redis.call('INFO'))))
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { missingRight } = failureOf('INFO', error, settings.prefix)
    if (missingRight !== undefined) warnings.missingRight(connection.server, 'INFO', missingRight)
    return undefined
  }
}
