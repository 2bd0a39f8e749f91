import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { hashTags, slotOf } from '../../src/entry/slot.ts'
import type { Carrier, DocumentedUser } from './documented-rights.ts'
import { documentedUser } from './documented-rights.ts'
import type { Address } from './redis-deployment.ts'
import { askAll, startTogether } from './redis-deployment.ts'
import { startCluster } from './redis-cluster.ts'
import { startSentinel } from './redis-sentinel.ts'
import { startRedis } from './redis.ts'

/** A connection with all rights: what it sends goes to the server that holds the first key. */
export type Admin = Redis | Cluster

/** What is behind a form of Redis. Several forms share it. */
export interface Servers {
  /** Where a client finds it. */
  readonly nodes: readonly Address[]
  readonly admin: Admin
  /** How many buckets a cache has on it that says nothing of them. */
  readonly buckets: number
  /** One bucket of each server that holds some. */
  readonly bucketOfEach: readonly number[]
  /** All servers that hold keys. */
  masters(): readonly Redis[]
  /** What publishes on the channel of a bucket. */
  readonly publishes: 'PUBLISH' | 'SPUBLISH'
  /** Lets users of least rights use names of this prefix, and no others. */
  admit(prefix: string): Promise<void>
  stop(): Promise<void>
}

/** The number of buckets on a Cluster by default. */
const CLUSTER_BUCKETS = 32

/** No failover is wanted: a busy machine lets servers stand still for a while. */
const PATIENCE_MS = 5_000

export async function oneServer(): Promise<Servers> {
  const server = await startRedis()
  return onOne([server], new Redis(server.url), () => server.stop(), nobody)
}

export async function sentinel(): Promise<Servers> {
  const deployment = await startSentinel({ downAfterMs: PATIENCE_MS })
  const [master] = deployment.servers
  return onOne(deployment.address.sentinels, new Redis(String(master?.url)), () => deployment.stop(), nobody)
}

export async function cluster(): Promise<Servers> {
  const deployment = await startCluster({ nodeTimeoutMs: PATIENCE_MS })
  return onCluster(deployment.nodes, new Cluster(deployment.nodes), () => deployment.stop(), nobody)
}

const nobody = async () => {}

/**
 * One server with TLS and users: the one of the documentation, who may use the prefix that is admitted, and the tests' own,
 * over another port. Nobody gets in without a name.
 */
export async function guardedServer(): Promise<Servers> {
  const [server] = await startTogether([{ args: withTls }])
  if (!server) throw new Error('there is no server')
  await guard([server])
  const admin = new Redis(server.url, superuser)
  return onOne(
    [tlsAddress(server)],
    admin,
    () => server.stop(),
    admitting('server', () => [admin]),
  )
}

/** As {@link guardedServer}: three masters. */
export async function guardedCluster(): Promise<Servers> {
  const deployment = await startCluster({ replicas: 0, nodeTimeoutMs: PATIENCE_MS, args: withTlsBetweenNodes })
  await guard(deployment.servers)
  const admin = new Cluster(deployment.nodes, { redisOptions: superuser })
  const nodes = deployment.servers.map(tlsAddress)
  const admit = admitting('cluster', () => admin.nodes('master'))
  return onCluster(nodes, admin, () => deployment.stop(), admit)
}

function onOne(nodes: readonly Address[], admin: Redis, stop: () => Promise<void>, admit: Servers['admit']): Servers {
  return {
    nodes,
    admin,
    buckets: 1,
    bucketOfEach: [0],
    masters: () => [admin],
    publishes: 'PUBLISH',
    admit,
    async stop() {
      admin.disconnect()
      await stop()
    },
  }
}

async function onCluster(
  nodes: readonly Address[],
  admin: Cluster,
  stop: () => Promise<void>,
  admit: Servers['admit'],
): Promise<Servers> {
  return {
    nodes,
    admin,
    buckets: CLUSTER_BUCKETS,
    bucketOfEach: (await shares(admin)).map(([first, last]) => bucketBetween(first, last)),
    masters: () => admin.nodes('master'),
    publishes: await publishing(admin),
    admit,
    async stop() {
      admin.disconnect()
      await stop()
    },
  }
}

/** A Cluster below 7 has no sharded channels. */
async function publishing(admin: Cluster): Promise<Servers['publishes']> {
  const [, major] = /^redis_version:(\d+)/m.exec(await admin.info('server')) ?? []
  return Number(major) >= 7 ? 'SPUBLISH' : 'PUBLISH'
}

/** The first and last slot of each master. */
async function shares(admin: Cluster): Promise<(readonly [first: number, last: number])[]> {
  const reply = (await admin.cluster('SLOTS')) as [first: number, last: number][]
  return reply.map(([first, last]) => [first, last] as const)
}

function bucketBetween(first: number, last: number): number {
  const slots = hashTags(CLUSTER_BUCKETS).map(slotOf)
  const found = slots.findIndex((slot) => slot >= first && slot <= last)
  if (found < 0) throw new Error(`no bucket has a slot from ${first} to ${last}`)
  return found
}

const file = (name: string) => join(import.meta.dirname, 'tls', name)
const [certificate, key] = [file('test-only.crt'), file('test-only.key')]

/** What a client needs to believe that it speaks to a server of the tests. */
export const tls = { ca: readFileSync(certificate, 'utf8') }

/** The port of a server for TLS. Its other one stays, for the tests. */
const tlsPort = (port: number) => port - 10_000
const tlsAddress = ({ host, port }: Address): Address => ({ host, port: tlsPort(port) })

function withTls(port: number): string[] {
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate]
  return [...files, '--tls-port', String(tlsPort(port)), '--tls-auth-clients', 'no']
}

/** Clients are told the port of the kind by which they came. The bus has its place where the tests look for it. */
function withTlsBetweenNodes(port: number): string[] {
  return [...withTls(port), '--tls-cluster', 'yes', '--cluster-port', String(port + 10_000)]
}

const superuser = { username: 'tests', password: 'all-rights' }

/** Lets nobody in but the users of the tests. */
async function guard(servers: readonly Address[]): Promise<void> {
  const own = ['on', `>${superuser.password}`, '~*', '&*', '+@all'] as const
  const commands = [
    ['ACL', 'SETUSER', superuser.username, ...own],
    ['ACL', 'SETUSER', 'default', 'off'],
  ] as const
  await Promise.all(servers.map((server) => askAll(server, commands)))
}

const admitting = (carrier: Carrier, redises: () => readonly Redis[]) => async (prefix: string) => {
  const { user, under }: DocumentedUser = documentedUser(carrier)
  await Promise.all(redises().map((redis) => redis.call('ACL', 'SETUSER', user, ...under(prefix))))
}
