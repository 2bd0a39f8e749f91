import { Redis } from 'ioredis'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startFaultProxy } from './fault-proxy.ts'
import { startRedis } from './redis.ts'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { FaultProxy } from './fault-proxy.ts'
import type { RedisServer } from './redis.ts'

/** Whether a promise has settled by the time that everything already under way on this machine is done. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise, elapsed(60).then(() => pending)])) === pending
}

const elapsed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('before a real Redis', () => {
  let redis: RedisServer
  let proxy: FaultProxy
  const clients: Redis[] = []

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(async () => {
    proxy = await startFaultProxy(redis)
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect()
    await proxy.stop()
  })

  function client(): Redis {
    const made = new Redis(proxy.url, { retryStrategy: null, maxRetriesPerRequest: 0 })
    made.on('error', () => {})
    clients.push(made)
    return made
  }

  test('passes commands and replies, of any size', async () => {
    const big = Buffer.alloc(3_000_000, 7)
    await client().set('big', big)
    expect((await client().getBuffer('big'))?.equals(big)).toBe(true)
    expect(proxy.connections()).toBe(2)
  })

  test('cut destroys connections and refuses new ones until heal', async () => {
    const before = client()
    await before.ping()
    const closed = once(before, 'end')
    await proxy.cut()
    await closed
    expect(proxy.connections()).toBe(0)
    await expect(client().ping()).rejects.toThrow()
    await proxy.heal()
    expect(await client().ping()).toBe('PONG')
  })

  test('a hole to the server: the command arrives only when released', async () => {
    const through = client()
    await through.ping()
    proxy.hole('to-server')
    const reply = through.set('late', '1')
    expect(await isPending(reply)).toBe(true)
    await proxy.connections()
    proxy.release({ deliver: true })
    expect(await reply).toBe('OK')
  })

  test('a hole to the client: the command is carried out, and its reply is lost by a reset', async () => {
    const direct = new Redis(redis.url)
    clients.push(direct)
    const through = client()
    await through.ping()
    proxy.hole('to-client')
    const reply = through.set('done', '1')
    const rejected = expect(reply).rejects.toThrow()
    expect(await isPending(rejected)).toBe(true)
    expect(await direct.get('done')).toBe('1')
    proxy.release({ deliver: false })
    await rejected
  })

  test('a new connection into a hole is accepted and never answered', async () => {
    proxy.hole()
    const pong = client().ping()
    expect(await isPending(pong)).toBe(true)
    expect(proxy.connections()).toBe(1)
    await proxy.heal()
    expect(await pong).toBe('PONG')
  })

  test('delay holds each direction back, and keeps the order', async () => {
    const through = client()
    await through.ping()
    proxy.delay(40)
    const startedAt = performance.now()
    const replies = await Promise.all([through.incr('n'), through.incr('n'), through.incr('n')])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(78)
    expect(replies).toEqual([1, 2, 3])
    await proxy.heal()
    await through.ping()
  })
})

describe('before a plain server', () => {
  let server: Server
  let proxy: FaultProxy
  const sockets: Socket[] = []

  beforeEach(async () => {
    server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await startFaultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  })
  afterEach(async () => {
    await proxy.stop()
    for (const socket of sockets.splice(0)) socket.destroy()
    server.close()
  })

  async function pair(): Promise<{ client: Socket; behind: Socket }> {
    const accepted = once(server, 'connection')
    const client = connect(proxy.port, proxy.host)
    client.on('error', () => {})
    const [behind] = await accepted
    return { client, behind }
  }

  test('an end is passed on after the bytes before it', async () => {
    const { client, behind } = await pair()
    const chunks: Buffer[] = []
    client.on('data', (chunk) => chunks.push(chunk))
    const ended = once(client, 'end')
    behind.end('last words')
    await ended
    expect(Buffer.concat(chunks).toString()).toBe('last words')
  })

  test('in a hole, not even the end of a stream gets through', async () => {
    const { client, behind } = await pair()
    behind.resume()
    proxy.hole()
    const ended = once(behind, 'end')
    client.end()
    expect(await isPending(ended)).toBe(true)
    proxy.release({ deliver: true })
    await ended
    expect(behind.readableEnded).toBe(true)
  })

  test('a server that breaks off breaks the client off', async () => {
    const { client, behind } = await pair()
    const closed = once(client.resume(), 'close')
    behind.destroy()
    await closed
    expect(client.destroyed).toBe(true)
  })
})
