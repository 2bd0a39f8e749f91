import { withoutArguments } from './failure.ts'
import { sentinelNames } from './server-name.ts'
import type { RedisConnection } from './source.ts'
import type { Warning } from './warnings.ts'

/** How ioredis says that no sentinel has named a server, and what the last of them said. */
const NO_SENTINEL = /^All sentinels are unreachable(?:.*?Last error: (.*))?/s

/** What to say of a server that cannot be reached. `server`: its name for people. `reason`: the words of ioredis or our own. */
export function unreachable(server: string, reason: string, connection: RedisConnection): Warning {
  const code = 'ERR_REDIS_UNAVAILABLE'
  const noSentinel = NO_SENTINEL.exec(reason)
  if (noSentinel) {
    const said = withoutArguments(noSentinel[1] ?? 'they know no master of that name')
    const which = `none of the sentinels ${sentinelNames(connection)} names the master '${connection.options.name}'`
    const message = `${which} (${said}): ${adviceOn(said)}. L1 and loaders go on, L2 joins when one does`
    return { code, message }
  }
  const said = withoutArguments(reason)
  const advice = isOfPassword(said) ? 'look at the options username and password. ' : ''
  return {
    code,
    message: `${server} cannot be reached (${said}): ${advice}L1 and loaders go on, L2 joins when it comes up`,
  }
}

function adviceOn(said: string): string {
  if (/No such master|know no master/.test(said)) return 'look at the option name'
  if (isOfPassword(said)) return 'look at the options sentinelUsername and sentinelPassword'
  if (/unknown command|RESP type/.test(said)) return 'is that a sentinel? Look at the option sentinels'
  return 'look at the option sentinels, and whether they are up'
}

function isOfPassword(said: string): boolean {
  return /\b(WRONGPASS|NOAUTH)\b/.test(said)
}
