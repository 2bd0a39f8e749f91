import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisOptions, RedisServer } from './redis.ts'
import { startRedis } from './redis.ts'

export type Command = readonly [name: string, ...values: (string | number)[]]

/** Starts several servers at once. If one does not come up, none is left. */
export async function startTogether(options: readonly RedisOptions[]): Promise<RedisServer[]> {
  const outcomes = await Promise.allSettled(options.map((each) => startRedis({ drawPort, ...each })))
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (!failure) return servers
  await stopAll(servers)
  throw failure.reason
}

export async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}

/** The reply to one command, on a connection of its own. Rejects where the server does not answer in good time. */
export async function ask(server: Address, ...command: Command): Promise<unknown> {
  const [reply] = await askAll(server, [command])
  return reply
}

/** The replies to commands that are sent together. Rejects with the first error among them. */
export function askAll(server: Address, commands: readonly Command[]): Promise<unknown[]> {
  return connected(server, (redis) => Promise.all(commands.map(([name, ...values]) => redis.call(name, ...values))))
}

/** Does something on a connection that is closed afterwards, and never connects again. */
export async function connected<T>(server: Address, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: server.host,
    port: server.port,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    connectTimeout: 5_000,
    commandTimeout: 10_000,
  })
  redis.on('error', () => {})
  try {
    return await act(redis)
  } finally {
    redis.disconnect()
  }
}

/** The address that a client connects to. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The lines of an INFO reply, or of a flat list of names and values. */
export function fieldsOf(reply: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(reply)) {
    const lines = String(reply).split('\r\n')
    return Object.fromEntries(lines.filter((line) => line.includes(':')).map((line) => line.split(/:(.*)/s, 2)))
  }
  return Object.fromEntries(reply.flatMap((name, at) => (at % 2 === 0 ? [[String(name), String(reply[at + 1])]] : [])))
}

/**
 * Asks until something is so, and answers what was found: a question answers `undefined` for "not yet". A question that
 * fails counts as that too: servers that are being exchanged refuse and fall silent.
 */
export async function until<T>(what: string, question: () => Promise<T | undefined>, deadlineMs = 60_000): Promise<T> {
  const deadlineAt = performance.now() + deadlineMs
  let failure: unknown
  while (performance.now() < deadlineAt) {
    const [answer] = await Promise.allSettled([question()])
    if (answer.status === 'fulfilled' && answer.value !== undefined) return answer.value
    failure = answer.status === 'rejected' ? answer.reason : undefined
    await sleep(20)
  }
  throw new Error(`Not within ${deadlineMs} ms: ${what}.`, { cause: failure })
}

/** Resolves when replicas have what their master has acknowledged so far. */
export async function caughtUp(replicas: readonly RedisServer[], master: RedisServer): Promise<void> {
  const written = await offsetOf(master)
  await until('replicas have what was written', async () => {
    const offsets = await Promise.all(replicas.map(offsetOf))
    return offsets.every((offset) => offset >= written) || undefined
  })
}

/** How much of the stream of writes a server has. */
async function offsetOf(server: RedisServer): Promise<number> {
  const { role, ...fields } = fieldsOf(await ask(server, 'INFO', 'replication'))
  return Number(role === 'master' ? fields.master_repl_offset : fields.slave_repl_offset)
}

/**
 * A free port whose cluster bus, 10,000 above, is free too. Both lie below the ports that kernels hand out: nobody else
 * is given the port of a server that is down for a while. Sentinels would take a stranger there for the server that they
 * know, and make it a replica.
 */
async function drawPort(): Promise<number> {
  const port = randomInt(12_000, 22_000)
  const isFree = (await listens(port)) && (await listens(port + 10_000))
  return isFree ? port : drawPort()
}

async function listens(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
