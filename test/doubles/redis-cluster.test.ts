import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startCluster } from './redis-cluster.ts'
import { ask, connected, fieldsOf } from './redis-deployment.ts'
import type { ClusterDeployment, ClusterFailover } from './redis-cluster.ts'
import type { RedisServer } from './redis.ts'

vi.setConfig({ testTimeout: 120_000 })

interface Client {
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

const clients: Client[] = []
let cluster: ClusterDeployment

/** Each test leaves the cluster whole, with its own keys in it. */
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

function use<Each extends Client>(client: Each): Each {
  client.on('error', () => {})
  clients.push(client)
  return client
}

/** The owner of a key, and a master that is not. */
async function ownerOf(key: string): Promise<[owner: RedisServer, other: RedisServer, slot: number]> {
  const slot = await cluster.slotOf(key)
  const owner = await cluster.serverOf(slot)
  const other = (await cluster.masters()).find((master) => master !== owner)
  if (!other) throw new Error('there is no other master')
  return [owner, other, slot]
}

test('every node is content, and every master has a replica that follows it', async () => {
  expect(await cluster.masters()).toEqual(cluster.servers.slice(0, 3))
  for (const server of cluster.servers) {
    expect(fieldsOf(await ask(server, 'CLUSTER', 'INFO'))).toMatchObject({
      cluster_state: 'ok',
      cluster_slots_ok: '16384',
      cluster_known_nodes: '6',
      cluster_size: '3',
    })
  }
  for (const master of await cluster.masters()) {
    const [replica, ...more] = await cluster.replicasOf(master)
    expect(more).toEqual([])
    expect(replica && (await ask(replica, 'ROLE'))).toEqual(expect.arrayContaining(['slave', master.port, 'connected']))
  }
})

test.each([
  ['5', () => new Cluster5(cluster.nodes)],
  ['6', () => new Cluster(cluster.nodes)],
])('ioredis %s reaches all slots', async (version, connect) => {
  const client: Client = use(connect())
  const keys = Array.from({ length: 60 }, (_, n) => `reach:${version}:${n}`)
  for (const key of keys) await client.set(key, key)
  for (const key of keys) expect(await client.get(key)).toBe(key)
  const owners = new Set(await Promise.all(keys.map(async (key) => cluster.serverOf(await cluster.slotOf(key)))))
  expect(owners.size).toBe(3)
})

test('slots move with their keys while a client goes on: first ASK, then MOVED at the old owner', async () => {
  const client = use(new Cluster(cluster.nodes))
  const keys = Array.from({ length: 250 }, (_, n) => `{move}${n}`)
  const [key = ''] = keys
  const [from, to, slot] = await ownerOf(key)
  await Promise.all(keys.map((each) => client.set(each, each)))
  const empty = slot === 0 ? 1 : slot - 1
  const neighbour = (await cluster.serverOf(empty)) === from ? [empty] : []

  await cluster.moveSlots([slot, ...neighbour], from, to, async () => {
    expect(await cluster.serverOf(slot)).toBe(from)
    await expect(ask(from, 'GET', key)).rejects.toThrow(`ASK ${slot} ${to.host}:${to.port}`)
    expect(await client.get(key)).toBe(key)
    await client.set('{move}midway', '1')
  })

  expect(await cluster.serverOf(slot)).toBe(to)
  await expect(ask(from, 'GET', key)).rejects.toThrow(`MOVED ${slot} ${to.host}:${to.port}`)
  expect(await ask(to, 'MGET', ...keys)).toEqual(keys)
  expect(await ask(to, 'GET', '{move}midway')).toBe('1')
  expect(await ask(from, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(0)
  expect(await ask(from, 'CLUSTER', 'NODES')).not.toContain(`[${slot}->-`)
  expect(await client.get(key)).toBe(key)
})

test.each<ClusterFailover>(['kill', 'freeze', 'force', 'takeover'])(
  'after a failover by "%s" a write that was acknowledged on a cut replication is gone, everywhere and for good',
  async (how) => {
    const [kept, lost] = [`{${how}}kept`, `{${how}}lost`]
    const client = use(new Cluster(cluster.nodes))
    const [old] = await ownerOf(kept)
    const [replica] = await cluster.replicasOf(old)
    await ask(old, 'EVAL', manyBytes, 1, `{${how}}bytes`)
    await client.set(kept, '1')
    await cluster.cutReplication(old)
    expect(await client.set(lost, '1')).toBe('OK')
    expect(await ask(old, 'MGET', kept, lost)).toEqual(['1', '1'])

    const next = await cluster.failover(old, how)
    expect(next).toBe(replica)
    expect((await ownerOf(kept))[0]).toBe(next)
    expect(await ask(next, 'MGET', kept, lost)).toEqual(['1', null])

    if (how === 'kill') await old.restart()
    if (how === 'freeze') old.thaw()
    await cluster.rejoined(old)
    expect(await cluster.replicasOf(next)).toEqual([old])
    expect(await connected(old, readLocally(kept, lost))).toEqual(['1', null])
    expect(await client.get(kept)).toBe('1')
  },
)

/** What takes a replica a while to get. */
const manyBytes = `for _ = 1, 50 do redis.call('SET', KEYS[1], string.rep('x', 1e6)) end`

/** A replica refuses to read unless a connection asks for it. */
const readLocally =
  (...keys: string[]) =>
  async (redis: Redis) => {
    await redis.readonly()
    return redis.mget(...keys)
  }

test('a replica takes over by "manual" with all that its master has acknowledged', async () => {
  const [key, how] = ['{manual}', 'manual'] as const
  const [old] = await ownerOf(key)
  const [replica] = await cluster.replicasOf(old)
  await cluster.cutReplication(old)
  await ask(old, 'SET', key, '1')
  expect(await cluster.failover(old, how)).toBe(replica)
  await expect(ask(old, 'GET', key)).rejects.toThrow('MOVED')
  expect(replica && (await ask(replica, 'GET', key))).toBe('1')
  expect(await cluster.replicasOf(replica ?? old)).toEqual([old])
})

test('a replica that was cut off gets what it missed', async () => {
  const [master] = await ownerOf('{cut}')
  const [replica] = await cluster.replicasOf(master)
  if (!replica) throw new Error('there is no replica')
  await cluster.cutReplication(master)
  await ask(master, 'SET', '{cut}', '1')
  expect(await connected(replica, readLocally('{cut}'))).toEqual([null])
  await cluster.healReplication(master)
  expect(await cluster.replicasOf(master)).toEqual([replica])
  expect(await connected(replica, readLocally('{cut}'))).toEqual(['1'])
})

/**
 * 1. a master stands still; a client sends it a write
 * 2. its replica takes over
 * 3. it goes on: it takes itself for the master, and acknowledges the write
 * 4. it hears of its successor: the write is gone
 */
test('a thawed master acknowledges writes that are lost', async () => {
  const [old] = await ownerOf('{thaw}')
  const client = use(new Redis(old.port, old.host))
  await client.ping()
  old.freeze()
  const write = client.set('{thaw}', '1')
  const next = await cluster.failover(old, 'freeze')
  old.thaw()
  expect(await write).toBe('OK')
  await cluster.rejoined(old)
  expect(await ask(next, 'GET', '{thaw}')).toBe(null)
})
