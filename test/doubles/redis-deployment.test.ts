import { expect, test } from 'vitest'
import { ask, askAll, startTogether, stopAll, until } from './redis-deployment.ts'
import { startRedis, waitForPong } from './redis.ts'

test('servers that are started together have ports that kernels do not hand out, and room for a cluster bus', async () => {
  const servers = await startTogether([{}, {}])
  const above = await Promise.all(servers.map(({ port }) => startRedis({ port: port + 10_000 })))
  for (const { port } of above) expect(port).toBeLessThan(32_768)
  await stopAll([...servers, ...above])
})

test('if one of several servers does not come up, none is left', async () => {
  const free = await startRedis()
  await free.stop()
  await expect(startTogether([{ port: free.port }, { args: ['--no-such-option', '1'] }])).rejects.toThrow(
    'no-such-option',
  )
  await expect(waitForPong(free.port, 50)).rejects.toThrow('nobody listens there')
})

test('a question is asked until it is answered; one that fails is not', async () => {
  const replies = [() => Promise.reject(new Error('busy')), async () => undefined, async () => 'found']
  expect(await until('it is found', async () => replies.shift()?.())).toBe('found')
  await expect(until('it is found', () => Promise.reject(new Error('busy')), 50)).rejects.toMatchObject({
    message: 'Not within 50 ms: it is found.',
    cause: { message: 'busy' },
  })
})

test('a command on a server that is gone, or one that is refused, fails at once', async () => {
  const server = await startRedis()
  expect(await ask(server, 'SET', 'k', 1)).toBe('OK')
  await expect(ask(server, 'INCR')).rejects.toThrow('wrong number of arguments')
  await expect(askAll(server, [['PING'], ['HGET', 'k', 'f']])).rejects.toThrow('WRONGTYPE')
  await server.stop()
  await expect(ask(server, 'PING')).rejects.toThrow()
})
