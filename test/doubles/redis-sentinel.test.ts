import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, expect, test, vi } from 'vitest'
import { ask, caughtUp, fieldsOf } from './redis-deployment.ts'
import { startSentinel } from './redis-sentinel.ts'
import type { RedisServer } from './redis.ts'
import type { SentinelDeployment, SentinelFailover, SentinelOptions } from './redis-sentinel.ts'

vi.setConfig({ testTimeout: 120_000 })

interface Client {
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

const open: (() => unknown)[] = []

async function start(options?: SentinelOptions): Promise<SentinelDeployment> {
  const deployment = await startSentinel({ demoteAfterMs: 800, ...options })
  open.push(() => deployment.stop())
  return deployment
}

function use<Each extends Client>(client: Each): Each {
  client.on('error', () => {})
  open.push(() => client.disconnect())
  return client
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()))
})

const pairOf = ({ servers: [master, replica] }: SentinelDeployment): [RedisServer, RedisServer] => {
  if (!master || !replica) throw new Error('there is no pair')
  return [master, replica]
}

test('ioredis 5 and 6 find the master, and its replica has what they write', async () => {
  const deployment = await start()
  const [master, replica] = pairOf(deployment)
  expect(await deployment.master()).toBe(master)
  await use(new Redis5(deployment.address)).set('five', '5')
  await use(new Redis(deployment.address)).set('six', '6')
  expect(await ask(master, 'MGET', 'five', 'six')).toEqual(['5', '6'])
  await caughtUp([replica], master)
  expect(await ask(replica, 'MGET', 'five', 'six')).toEqual(['5', '6'])
  await expect(ask(replica, 'SET', 'k', 'v')).rejects.toThrow('READONLY')
})

test.each<SentinelFailover>(['kill', 'freeze', 'sentinel'])(
  'after a failover by "%s" a write that was acknowledged on a cut replication is gone, everywhere and for good',
  async (how) => {
    const deployment = await start()
    const [old] = pairOf(deployment)
    const client = use(new Redis(deployment.address))
    await client.set('kept', '1')
    await deployment.cutReplication()
    expect(await client.set('lost', '1')).toBe('OK')
    expect(await ask(old, 'MGET', 'kept', 'lost')).toEqual(['1', '1'])

    const next = await deployment.failover(how)
    expect(next).not.toBe(old)
    expect(await deployment.master()).toBe(next)
    expect(await ask(next, 'MGET', 'kept', 'lost')).toEqual(['1', null])
    const later = use(new Redis(deployment.address))
    expect(await later.get('lost')).toBe(null)
    await later.set('later', '1')

    if (how === 'kill') await old.restart()
    if (how === 'freeze') old.thaw()
    await deployment.rejoined(old)
    expect(await deployment.master()).toBe(next)
    await caughtUp([old], next)
    expect(await ask(old, 'MGET', 'kept', 'lost', 'later')).toEqual(['1', null, '1'])
  },
)

test('a cut replica looks well to the sentinels; healed, it gets what it missed, and follows its master', async () => {
  const deployment = await start()
  const [master, replica] = pairOf(deployment)
  await ask(master, 'SET', 'before', '1')
  await deployment.cutReplication()
  await ask(master, 'SET', 'missed', '1')
  expect(await ask(replica, 'MGET', 'before', 'missed')).toEqual(['1', null])
  expect(fieldsOf(await ask(replica, 'INFO', 'replication')).master_link_status).toBe('up')
  const { name } = deployment.address
  for (const sentinel of deployment.sentinels) {
    const [view] = (await ask(sentinel, 'SENTINEL', 'REPLICAS', name)) as unknown[]
    expect(fieldsOf(view).flags).toBe('slave')
    // So long it lets a replica follow something else than its master.
    expect(fieldsOf(await ask(sentinel, 'SENTINEL', 'MASTER', name))['failover-timeout']).toBe('60000')
  }

  await deployment.healReplication()
  expect(fieldsOf(await ask(replica, 'INFO', 'replication')).master_port).toBe(String(master.port))
  expect(await ask(replica, 'GET', 'missed')).toBe('1')
  expect(await deployment.master()).toBe(master)
})

test('a failover without a cut loses nothing, and another one leads back', async () => {
  const deployment = await start()
  const [first, second] = pairOf(deployment)
  await ask(first, 'SET', 'k', 'v')
  await caughtUp([second], first)
  expect(await deployment.failover('sentinel')).toBe(second)
  await deployment.rejoined(first)
  expect(await deployment.failover('kill')).toBe(first)
  expect(await ask(first, 'GET', 'k')).toBe('v')
})

/**
 * 1. the master stands still; a client sends it a write
 * 2. the sentinels replace it
 * 3. it goes on: it takes itself for the master, and acknowledges the write
 * 4. the sentinels make it a replica: the write is gone
 */
test('a thawed master acknowledges writes that are lost', async () => {
  const deployment = await start()
  const [old] = pairOf(deployment)
  const client = use(new Redis(old.port, old.host))
  await client.ping()
  old.freeze()
  const write = client.set('lost', '1')
  const next = await deployment.master()
  expect(next).not.toBe(old)
  old.thaw()
  expect(await write).toBe('OK')
  await deployment.rejoined(old)
  expect(await ask(old, 'GET', 'lost')).toBe(null)
})

test('all replicas follow the new master; two sentinels are enough, and the third learns of it', async () => {
  const deployment = await start({ replicas: 2 })
  const [absent] = deployment.sentinels
  await absent?.kill()
  const old = await deployment.master()
  const next = await deployment.failover('kill')
  const others = deployment.servers.filter((server) => server !== old && server !== next)
  expect(others).toHaveLength(1)
  for (const other of others)
    expect(await ask(other, 'ROLE')).toEqual(expect.arrayContaining(['slave', next.port, 'connected']))
  await absent?.restart()
  expect(await deployment.master()).toBe(next)
})

test('stop ends all servers, also those that are cut off or stand still', async () => {
  const deployment = await start()
  const [, replica] = pairOf(deployment)
  await deployment.cutReplication()
  replica.freeze()
  await deployment.stop()
  expect([...deployment.servers, ...deployment.sentinels].map((server) => server.isUp)).not.toContain(true)
})
