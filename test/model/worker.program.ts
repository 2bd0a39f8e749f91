/** One process of the model: a cache, and calls that the driver asks for. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as ClockModule from '../../src/clock.ts'
import type * as CreateCacheModule from '../../src/create-cache.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { Loader } from '../../src/cache/load-context.ts'
import type { InvalidationSubject } from '../../src/events.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import type { Answer, Call, ModelKey, Value } from './operations.ts'
import { operationOf } from './operations.ts'
import { monotonicMs, StallMeter } from './stall-meter.ts'

const start = JSON.parse(process.argv[2] ?? '{}') as WorkerStart
const now = () => monotonicMs() - start.epochMs

function tell(message: FromWorker): void {
  process.send?.(message)
}

function incident(error: unknown): void {
  tell({ type: 'incident', at: now(), text: error instanceof Error ? (error.stack ?? String(error)) : String(error) })
}

process.on('disconnect', () => process.exit(0))

interface Connection {
  readonly options: { readonly port?: number; readonly sentinels?: unknown }
  readonly stream?: { readonly remotePort?: number }
  duplicate(options?: object): Connection
}
const { Redis } = createRequire(import.meta.url)(start.ioredis) as { Redis: { prototype: Connection } }
const { duplicate } = Redis.prototype
const duplicates = new WeakSet<Connection>()
const isCluster = 'cluster' in (start.redis as object)
/** The connection for commands, unless each server has its own. */
let commands: Connection | undefined

/**
 * The subscription takes another way to a server than the commands: it is the duplicate of their connection, which on a
 * Cluster is itself the duplicate of a node's.
 */
Redis.prototype.duplicate = function (options) {
  const isSubscriber = !isCluster || duplicates.has(this)
  if (!isCluster) commands ??= this
  const made = duplicate.call(this, isSubscriber ? { ...options, ...subscriberWay(this) } : options)
  duplicates.add(made)
  return made
}

function subscriberWay({ options: { port, sentinels } }: Connection): object {
  if (sentinels) return { natMap: start.subscriberNatMap }
  return { port: start.subscriberPorts[start.commandsPorts.indexOf(port ?? 0)] }
}

const stalls = new StallMeter((from, to) =>
  tell({ type: 'stall', start: from - start.epochMs, end: to - start.epochMs }),
)
const loads = new Map<number, (message: ToWorker & { type: 'loaded' }) => void>()
let loadIds = 0
let asleepMs = 0
let jumpedMs = 0

const fromDist = (file: string) => import(pathToFileURL(join(start.dist, file)).href)
const { systemClock, WakefulTime } = (await fromDist('clock.js')) as typeof ClockModule
const { assemble } = (await fromDist('create-cache.js')) as typeof CreateCacheModule
// Only now: a library that cannot be loaded ends the process.
process.on('uncaughtException', incident)
process.on('unhandledRejection', incident)

const wall = () => Date.now() + jumpedMs
const time = new WakefulTime(() => performance.now() - asleepMs, wall)
const root: Cache = assemble(
  { ...start.cache, redis: start.redis },
  {
    ...systemClock,
    now: () => time.now(),
    get jumps() {
      return time.jumps
    },
    wall,
  },
)

/** What the journal holds, as far as events tell. */
const pending = new Set<string>()
const nameOf = ({ namespace, key, tag }: InvalidationSubject) => `${namespace ?? 'tag'}:${key ?? tag ?? '*'}`
root.on('unacknowledged', (event) => {
  pending.add(nameOf(event))
})
root.on('acknowledged', (event) => {
  pending.delete(nameOf(event))
  tell({ type: 'repeated', at: now(), subject: event })
})

root.on('connected', ({ server }) => {
  const port = commands ? commands.stream?.remotePort : Number(server.split(':').at(-1))
  tell({ type: 'arrived', at: now(), end: start.commandsPorts.indexOf(port ?? 0) })
})

root.on('l2-error', ({ code }) => {
  if (code === 'ERR_REDIS_TIMEOUT') tell({ type: 'timeout', at: now() })
})

const opened = new Map<string, Cache>([['', root]])
function cacheOf({ namespace }: ModelKey): Cache {
  let cache = opened.get(namespace)
  if (!cache) {
    cache = root.namespace(namespace, start.namespaces[namespace])
    opened.set(namespace, cache)
  }
  return cache
}

/** The database takes the version when it is asked, and answers a while later. */
function loaderOf(key: ModelKey): Loader<unknown> {
  return async (context) => {
    const startedAt = now()
    const id = ++loadIds
    tell({ type: 'load', id, key: key.name })
    const { version, outcome } = await new Promise<ToWorker & { type: 'loaded' }>((resolve) => loads.set(id, resolve))
    loads.delete(id)
    tell({ type: 'load-ended', key: key.name, version, outcome, start: startedAt, end: now() })
    if (outcome === 'failed') throw new LoaderFailed()
    if (outcome === 'skipped') context.skip()
    return { key: key.name, version } satisfies Value
  }
}

class LoaderFailed extends Error {
  readonly code = 'ERR_MODEL_LOADER'
}

const EXPECTED = new Set(['ERR_MODEL_LOADER', 'ERR_LOAD_ELSEWHERE', 'ERR_LOAD_TIMEOUT'])

async function run(id: number, call: Call): Promise<void> {
  const operation = operationOf(call.operation)
  const stalledBefore = stalls.totalMs()
  const startedAt = now()
  const measure = () => ({ start: startedAt, end: now(), stalledMs: stalls.totalMs() - stalledBefore })
  try {
    const cache = cacheOf(call.key)
    if (operation.kind === 'read') {
      const answer = await operation.run(cache, call, loaderOf(call.key))
      tell({ type: 'done', id, ...measure(), answer: { ...answer, value: read(answer) } })
    } else {
      const { acknowledged } = await operation.run(cache, call, root)
      tell({ type: 'done', id, ...measure(), acknowledged })
      if (acknowledged) for (const subject of subjectsOf(call)) pending.delete(nameOf(subject))
    }
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'Error'
    if (!EXPECTED.has(code)) incident(error)
    tell({ type: 'done', id, ...measure(), failed: code })
  }
}

/** What a write is about: its acknowledgement covers earlier ones of the same that were not acknowledged. */
function subjectsOf({ operation, key }: Call): readonly InvalidationSubject[] {
  const row = operationOf(operation)
  const namespace = key.namespace === '' ? '_' : key.namespace
  if (row.kind === 'read') return []
  switch (row.covers) {
    case 'key':
    case 'nothing':
      return [{ namespace, key: key.key }]
    case 'namespace':
      return [{ namespace }]
    case 'everything':
      return [{ namespace: '_' }]
    case 'tag':
      return key.tags.map((tag) => ({ tag }))
  }
}

/** What is no value of the model must not look like a miss. */
function read({ value }: Answer): Value | undefined {
  if (value === undefined) return undefined
  const { key, version } = (value ?? {}) as Partial<Value>
  return typeof key === 'string' && typeof version === 'number' ? { key, version } : { key: '(foreign)', version: 0 }
}

function standStill(ms: number, asleep: boolean): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  if (asleep) asleepMs += ms
}

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'call':
      void run(message.id, message.call)
      return
    case 'loaded':
      loads.get(message.id)?.(message)
      return
    case 'block':
      standStill(message.ms, message.asleep)
      return
    case 'jump':
      jumpedMs += message.ms
      return
    case 'state': {
      const { l2Usable, counters } = root.stats()
      const numbers = Object.entries(counters).filter(
        (entry): entry is [string, number] => typeof entry[1] === 'number',
      )
      tell({
        type: 'state',
        id: message.id,
        pending: [...pending],
        l2Usable: l2Usable === true,
        counters: Object.fromEntries(numbers),
      })
      return
    }
    default:
      message satisfies never
  }
})

tell({ type: 'ready' })
