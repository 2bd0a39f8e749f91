import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { current } from '../doubles/caches.ts'
import { ask } from '../doubles/redis-deployment.ts'
import type { SentinelDeployment } from '../doubles/redis-sentinel.ts'
import { startSentinel } from '../doubles/redis-sentinel.ts'

let deployment: SentinelDeployment
beforeAll(async () => {
  deployment = await startSentinel()
})
afterAll(() => deployment.stop())

const connectionName = 'to-be-closed'

/** How many connections of caches each server and each sentinel has. */
async function connections(): Promise<number[]> {
  const lists = await Promise.all(
    [...deployment.servers, ...deployment.sentinels].map((each) => ask(each, 'CLIENT', 'LIST')),
  )
  return lists.map((list) => String(list).split(connectionName).length - 1)
}

test('a cache has two connections to the master and one to each sentinel; closed, it has none', async () => {
  const cache = createCache({ redis: { ...deployment.address, connectionName } })
  await current(cache)
  await vi.waitFor(async () => expect(await connections()).toEqual([2, 0, 1, 1, 1]), { timeout: 5000 })
  await cache.close()
  await vi.waitFor(async () => expect(await connections()).toEqual([0, 0, 0, 0, 0]), { timeout: 5000 })
})

test('a process whose caches are closed ends, at whichever moment they were; and so it does with a silent sentinel', async () => {
  const [first] = deployment.sentinels
  for (const silence of [() => {}, () => first?.freeze()]) {
    silence()
    const program = join(import.meta.dirname, '../../build/test/sentinel/closing.program.js')
    const child = spawn(process.execPath, [program, JSON.stringify({ ...deployment.address, connectionName })])
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => void said.push(String(bytes)))
    const [code] = await once(child, 'exit')
    expect([code, said.join('')]).toEqual([0, 'closed\n'])
  }
  first?.thaw()
  await vi.waitFor(async () => expect(await connections()).toEqual([0, 0, 0, 0, 0]), { timeout: 5000 })
}, 40_000)
