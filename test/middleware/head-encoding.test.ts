import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { accelerate } from '../../src/middleware/node.ts'
import { rawHttp1, startServer } from './node-server.ts'
import type { ServerResponse } from 'node:http'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

test.each<[string, (res: ServerResponse) => unknown]>([
  ['a text and the end', (res) => res.end('é')],
  ['a text in another encoding', (res) => res.end('w6k=', 'base64')],
  ['texts of a known length', (res) => res.setHeader('Content-Length', 3).write('é') && res.end('-')],
  ['bytes', (res) => res.end(Buffer.from('é'))],
])('a field beyond ASCII has the same bytes on a miss and on a hit, where the body is %s', async (_, write) => {
  const cache = createCache()
  cleanups.push(() => cache.close())
  const listener = accelerate(cache, (_, res) => {
    res.setHeader('Cache-Control', 'max-age=60')
    res.setHeader('X-Name', 'é')
    write(res)
  })
  const server = await startServer('HTTP/1.1', listener)
  cleanups.push(() => server.close())
  for (const says of ['stored', 'hit']) {
    // As Latin-1: one character for each byte.
    const text = await rawHttp1(server.port, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(text).toMatch(new RegExp(`cache-status: tiercache;.*${says}`, 'i'))
    expect(text).toContain('\r\nX-Name: é\r\n')
    expect(text).toContain('Ã©')
  }
})
