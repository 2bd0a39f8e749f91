import { createRequire } from 'node:module'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import type { RedisSource } from '../../src/create-cache.ts'
import { bucketOf, localId, RedisNames } from '../../src/entry/key.ts'
import type { Address as Entry } from '../../src/entry/entry.ts'
import { hashTags } from '../../src/entry/slot.ts'
import { documentedUser } from './documented-rights.ts'
import type { Admin, Servers } from './redis-forms-servers.ts'
import { cluster, guardedCluster, guardedServer, oneServer, sentinel, tls } from './redis-forms-servers.ts'

/** A way to have Redis: how many servers, by which client, with which rights. */
export interface RedisForm {
  readonly name: string
  /** Begins to use it. */
  start(): Promise<RunningForm>
}

/** A form of Redis while tests use it. */
export interface RunningForm {
  readonly admin: Admin
  readonly buckets: number
  /** One bucket of each server. */
  readonly bucketOfEach: readonly number[]
  /** The option `redis` of one process. What belongs to the application is made anew for each. */
  source(): RedisSource
  /** The names in the bucket of an entry. */
  names(prefix: string, entry: Entry): RedisNames
  /** All servers that hold keys. */
  masters(): readonly Redis[]
  /** What publishes on the channel of a bucket, in this form. */
  readonly publishes: 'PUBLISH' | 'SPUBLISH'
  /** Says something on the channel of a bucket, as a script of its server would. */
  publish(names: RedisNames, text: string): Promise<void>
  /** Loses everything. */
  flush(): Promise<void>
  /** Lets caches use names of this prefix; of another one they may not. */
  admit(prefix: string): Promise<void>
  /** Ends what applications own. */
  release(): void
  stop(): void
}

/** The servers of a test file, each kind of which starts at its first use. */
const started = new Map<() => Promise<Servers>, Promise<Servers>>()
afterAll(async () => {
  const all = await Promise.allSettled(started.values())
  started.clear()
  await Promise.all(all.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)))
})

function shared(kind: () => Promise<Servers>): Promise<Servers> {
  let servers = started.get(kind)
  if (!servers) {
    servers = kind()
    started.set(kind, servers)
  }
  return servers
}

/** What an application makes, and ends. */
interface Owned {
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

interface FormOptions {
  /** Which ioredis the cache finds, where it needs one. */
  readonly library?: 'ioredis' | 'ioredis5'
  /** What publishes, if not what the servers are made for. */
  readonly publishes?: 'PUBLISH'
}

/** `redis`: what an application gives to `createCache`. */
function formOf(
  name: string,
  kind: () => Promise<Servers>,
  redis: (servers: Servers) => RedisSource | object,
  { library = 'ioredis', ...other }: FormOptions = {},
): RedisForm {
  return {
    name,
    async start() {
      const servers = await shared(kind)
      const owned: Owned[] = []
      const putBack = library === 'ioredis5' ? findIoredis5() : () => {}
      const release = () => {
        for (const each of owned.splice(0)) each.disconnect()
      }
      const publishes = other.publishes ?? servers.publishes
      return {
        ...servers,
        publishes,
        source() {
          const source = redis(servers)
          if (typeof source === 'object' && 'disconnect' in source) {
            const own = source as Owned
            own.on('error', () => {})
            owned.push(own)
          }
          return source
        },
        names: (prefix, { namespace, key }) =>
          namesIn(prefix, bucketOf(localId(namespace, key), servers.buckets), servers.buckets),
        async publish({ chain, channel }, text) {
          await servers.admin.eval('return redis.call(ARGV[1], ARGV[2], ARGV[3])', 1, chain, publishes, channel, text)
        },
        async flush() {
          await Promise.all(servers.masters().map((master) => master.flushall()))
        },
        release,
        stop() {
          release()
          putBack()
        },
      }
    },
  }
}

/** Lets the product find ioredis 5 under the name of its peer dependency. Answers how to undo it. */
function findIoredis5(): () => void {
  const require = createRequire(import.meta.url)
  require('ioredis5')
  const [five, six] = [require.resolve('ioredis5'), require.resolve('ioredis')]
  const before = require.cache[six]
  require.cache[six] = require.cache[five]
  return () => {
    require.cache[six] = before
  }
}

/** Where one server is. */
const at = ({ nodes: [node] }: Servers) => ({ host: String(node?.host), port: Number(node?.port) })
const nodesOf = ({ nodes }: Servers) => nodes.map(({ host, port }) => ({ host, port }))
const sentinels = (servers: Servers) => ({ sentinels: nodesOf(servers), name: 'main' })
const userOf = (carrier: 'server' | 'cluster') => {
  const { user, password } = documentedUser(carrier)
  return { username: user, password, tls }
}
/** What an application sets lest it is warned. */
const quiet = { autoResendUnfulfilledCommands: false }
const quietNodes = { redisOptions: quiet }

/** The form that tests use unless they say more. */
const usual = formOf('one server', oneServer, (servers) => `redis://${at(servers).host}:${at(servers).port}`)
const usualSentinel = formOf('Sentinel', sentinel, sentinels)
const usualCluster = formOf('Cluster', cluster, (servers) => ({ cluster: nodesOf(servers) }))

export const allForms: readonly RedisForm[] = [
  usual,
  formOf('one server, RESP2', oneServer, (servers) => ({ ...at(servers), protocol: 2 })),
  formOf('one server, ioredis 5', oneServer, at, { library: 'ioredis5' }),
  formOf('one server, an instance', oneServer, (servers) => new Redis({ ...at(servers), ...quiet })),
  formOf('one server, an instance of ioredis 5', oneServer, (servers) => new Redis5({ ...at(servers), ...quiet })),
  formOf('one server, TLS and least rights', guardedServer, (servers) => ({ ...at(servers), ...userOf('server') })),
  usualSentinel,
  formOf('Sentinel, an instance', sentinel, (servers) => new Redis({ ...sentinels(servers), ...quiet })),
  formOf('Sentinel, ioredis 5', sentinel, sentinels, { library: 'ioredis5' }),
  usualCluster,
  formOf('Cluster, RESP2', cluster, (servers) => ({ cluster: nodesOf(servers), protocol: 2 })),
  formOf('Cluster, an instance', cluster, (servers) => new Cluster(nodesOf(servers), quietNodes)),
  formOf('Cluster, ioredis 5', cluster, (servers) => ({ cluster: nodesOf(servers) }), { library: 'ioredis5' }),
  formOf('Cluster, an instance of ioredis 5', cluster, (servers) => new Cluster5(nodesOf(servers), quietNodes)),
  formOf('Cluster, PUBLISH', cluster, (servers) => seeming(new Cluster(nodesOf(servers), quietNodes), '6.2.14'), {
    publishes: 'PUBLISH',
  }),
  formOf('Cluster, TLS and least rights', guardedCluster, (servers) => ({
    cluster: nodesOf(servers),
    ...userOf('cluster'),
  })),
]

/** The names in a bucket. */
export function namesIn(prefix: string, bucket: number, buckets: number): RedisNames {
  return new RedisNames(prefix, 0, hashTags(buckets)[bucket])
}

/** A key of the root in a bucket, named after a label: on one server the label itself. */
export function keyInBucket(bucket: number, buckets: number, label: string): string {
  return keyWithin({ namespace: '_', bucket, buckets }, label)
}

/** A key in the namespace and the bucket of an entry. */
export function keyBeside({ namespace, key }: Entry, buckets: number, label: string): string {
  return keyWithin({ namespace, bucket: bucketOf(localId(namespace, key), buckets), buckets }, label)
}

function keyWithin(
  { namespace, bucket, buckets }: { readonly namespace: string; readonly bucket: number; readonly buckets: number },
  label: string,
): string {
  let key = label
  for (let n = 1; bucketOf(localId(namespace, key), buckets) !== bucket; n++) key = `${label} ${n}`
  return key
}

/** A Cluster whose servers say that they are of another version: below 7 there are no sharded channels. */
function seeming(own: Cluster, version: string): Cluster {
  const nodes = own.nodes.bind(own)
  own.nodes = (role) =>
    nodes(role).map((node) => {
      const duplicate = node.duplicate.bind(node)
      return Object.assign(Object.create(node) as Redis, {
        duplicate: (options: object) => reporting(duplicate(options), version),
      })
    })
  return own
}

function reporting(redis: Redis, version: string): Redis {
  const call = redis.call.bind(redis) as (...values: unknown[]) => Promise<unknown>
  const asked = async (...values: unknown[]) => {
    const reply = await call(...values)
    return values[0] === 'INFO' ? String(reply).replace(/^redis_version:.*$/m, `redis_version:${version}`) : reply
  }
  return Object.assign(redis, { call: asked })
}

/**
 * Which forms the suites over Redis are run on. Without a choice: one server for all of them, and for the conformance
 * suites a Sentinel and a Cluster too. The environment variable `REDIS_FORMS` names others: `all`, or names with `;` in
 * between.
 */
function chosen(usually: readonly RedisForm[]): readonly RedisForm[] {
  const { REDIS_FORMS: choice } = process.env
  if (!choice) return usually
  if (choice === 'all') return allForms
  return choice.split(';').map((name) => {
    const form = allForms.find((each) => each.name === name.trim())
    if (form) return form
    throw new Error(
      `REDIS_FORMS: there is no form '${name}'; there are: ${allForms.map((each) => each.name).join('; ')}`,
    )
  })
}

/** Runs the suites of conformance over the forms of Redis that are chosen. */
export function inConformingForms(suite: (form: () => RunningForm, name: string) => void): void {
  over(chosen([usual, usualSentinel, usualCluster]), suite)
}

/** Runs a suite over the forms of Redis that are chosen. */
export function inChosenForms(suite: (form: () => RunningForm, name: string) => void): void {
  over(chosen([usual]), suite)
}

/** Runs a suite over the one server that it is usually run on, whatever is chosen. */
export function inOneForm(suite: (form: () => RunningForm) => void): void {
  over([usual], suite)
}

function over(forms: readonly RedisForm[], suite: (form: () => RunningForm, name: string) => void): void {
  for (const form of forms) {
    describe(`on ${form.name}`, () => {
      let running: RunningForm
      beforeAll(async () => {
        running = await form.start()
      })
      afterEach(() => running.release())
      afterAll(() => running.stop())
      suite(() => running, form.name)
    })
  }
}
