import { expect, test, vi } from 'vitest'
import { inOneWrite, inWriteOfTick } from '../../src/redis/one-write.ts'
import { testClients } from './clients.ts'

const { server, ioredis } = testClients()

test('commands that are sent together leave in one write', async () => {
  const redis = ioredis(server().url)
  await redis.set('k', 'v')
  const socket = redis.stream as unknown as { _writev(...values: unknown[]): void; _write(...values: unknown[]): void }
  const [together, alone] = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')]
  await expect(
    Promise.all(inOneWrite(redis, () => [redis.get('k'), redis.get('none'), redis.ping()])),
  ).resolves.toEqual(['v', null, 'PONG'])
  expect([together.mock.calls.length, alone.mock.calls.length]).toEqual([1, 0])
})

test('what throws leaves nothing behind that waits to be written', async () => {
  const redis = ioredis(server().url)
  await redis.ping()
  const fail = () => {
    void redis.set('before', 'it')
    throw new Error('no command')
  }
  expect(() => inOneWrite(redis, fail)).toThrow('no command')
  await expect(redis.get('before')).resolves.toBe('it')
})

test('a connection without a socket refuses each command by itself', async () => {
  const redis = ioredis(server().url, { lazyConnect: true, enableOfflineQueue: false })
  await expect(inOneWrite(redis, () => redis.get('k'))).rejects.toThrow("Stream isn't writeable")
})

test('commands of one tick leave in one write, whoever sends them', async () => {
  const redis = ioredis(server().url)
  await redis.set('k', 'v')
  const socket = redis.stream as unknown as { _writev(...values: unknown[]): void; _write(...values: unknown[]): void }
  const [together, alone] = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')]
  const later = async (turns: number) => {
    for (let turn = 0; turn < turns; turn++) await undefined
    return inWriteOfTick(redis, () => redis.get('k'))
  }
  expect(await Promise.all([later(0), later(1), later(5)])).toEqual(['v', 'v', 'v'])
  expect([together.mock.calls.length, alone.mock.calls.length]).toEqual([1, 0])
  expect(await later(0)).toBe('v')
  expect([together.mock.calls.length, alone.mock.calls.length]).toEqual([1, 1])
})

test('of many commands of one tick the first eight leave at once, and the others in writes of twice as many each', async () => {
  const redis = ioredis(server().url)
  await redis.ping()
  const socket = redis.stream as unknown as { _writev(...values: unknown[]): void }
  const writes = vi.spyOn(socket, '_writev')
  const ask = () => inWriteOfTick(redis, () => redis.get('none'))
  const asked = Array.from({ length: 7 }, ask)
  expect(writes).not.toHaveBeenCalled()
  asked.push(ask())
  expect(writes).toHaveBeenCalledOnce()
  for (let sent = 8; sent < 23; sent++) asked.push(ask())
  expect(writes).toHaveBeenCalledOnce()
  asked.push(ask())
  expect(writes).toHaveBeenCalledTimes(2)
  asked.push(ask(), ask())
  expect(await Promise.all(asked)).toEqual(Array(26).fill(null))
  expect(writes).toHaveBeenCalledTimes(3)
})

test('a command of a tick that throws leaves nothing behind that waits to be written', async () => {
  const redis = ioredis(server().url)
  await redis.ping()
  const fail = () => {
    throw new Error('no command')
  }
  expect(() => inWriteOfTick(redis, fail)).toThrow('no command')
  await expect(redis.get('none')).resolves.toBeNull()
})
