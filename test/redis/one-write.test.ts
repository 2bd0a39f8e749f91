import { expect, test, vi } from 'vitest'
import { inOneWrite } from '../../src/redis/one-write.ts'
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
