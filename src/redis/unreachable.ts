import { withoutArguments } from './failure.ts'
import { readMissingRight } from './rights.ts'
import { sentinelNames } from './server-name.ts'
import type { RedisConnection } from './source.ts'
import type { Warning } from './warnings.ts'

/** How ioredis says that no sentinel has named a server, and what the last of them said. */
const NO_SENTINEL = /^All sentinels are unreachable(?:.*?Last error: (.*))?/s

/** What to say of a server that cannot be reached. `server`: its name for people. `reason`: the words of ioredis or our own. */
export function unreachable(server: string, reason: string, connection: RedisConnection): Warning {
  const noSentinel = NO_SENTINEL.exec(reason)
  if (noSentinel) return unnamed(withoutArguments(noSentinel[1] ?? 'they know no master of that name'), connection)
  const said = withoutArguments(reason)
  const advice = adviceOnPlain(said)
  return {
    code: 'ERR_REDIS_UNAVAILABLE',
    message: `${server} cannot be reached (${said}): ${advice && `${advice}. `}L1 and loaders go on, L2 joins when it comes up`,
  }
}

function unnamed(said: string, connection: RedisConnection): Warning {
  const which = `none of the sentinels ${sentinelNames(connection)} names the master '${connection.options.name}' (${said})`
  const missing = readMissingRight(said, 'SENTINEL', '')
  if (missing) {
    const { command, right } = missing
    const grant = `grant ${right} to the user of sentinelUsername on each of them (docs/reference/redis-rights.md)`
    return { code: 'ERR_MISSING_RIGHT', message: `${which}: ${grant}`, detail: { command, right } }
  }
  return {
    code: 'ERR_REDIS_UNAVAILABLE',
    message: `${which}: ${adviceOnSentinels(said)}. L1 and loaders go on, L2 joins when one does`,
  }
}

/**
 * What to say of a Cluster of which no node answers. `nodes`: the addresses that were given, for people. `reason`: the words
 * of ioredis or of the last node.
 */
export function unreachableCluster(nodes: string, reason: string): Warning {
  const said = withoutArguments(reason)
  const advice = adviceOnPlain(said) || adviceOnNodes(said)
  return {
    code: 'ERR_REDIS_UNAVAILABLE',
    message:
      `none of the nodes ${nodes} can be asked for the slots of the Redis Cluster (${said}): ${advice}. L1 and loaders go on, ` +
      'L2 joins when one answers',
  }
}

/** What to say of an instance that its owner has closed, or that gave up. `consequence`: what becomes of ours. */
export function ended(instance: string, consequence: string): Warning {
  return {
    code: 'ERR_REDIS_UNAVAILABLE',
    message: `the instance has ended: ${instance} is connected again by nobody but its owner; ${consequence}. Close the cache first`,
  }
}

function adviceOnPlain(said: string): string {
  if (isOfPassword(said)) return 'look at the options username and password'
  if (/unknown command .?(time|cluster)\b/i.test(said)) {
    return 'is that a sentinel? Sentinels belong into the option sentinels, with name'
  }
  return ''
}

function adviceOnNodes(said: string): string {
  if (/cluster support disabled/.test(said)) return "it is one server: give its URL, redis: 'redis://host:6379'"
  return 'look at the option cluster, and whether they are up'
}

function adviceOnSentinels(said: string): string {
  if (/No such master|know no master/.test(said)) return 'look at the option name'
  if (isOfPassword(said)) return 'look at the options sentinelUsername and sentinelPassword'
  if (/unknown command|RESP type/.test(said)) return 'is that a sentinel? Look at the option sentinels'
  return 'look at the option sentinels, and whether they are up'
}

function isOfPassword(said: string): boolean {
  return /\b(WRONGPASS|NOAUTH)\b/.test(said)
}
