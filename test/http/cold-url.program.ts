/**
 * One process of a fleet behind one Redis. It tells its parent of each request that comes in and each run of its handler,
 * which answers when the parent says so.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCache } from '../../src/create-cache.ts'
import { accelerate } from '../../src/middleware/node.ts'

const [url = '', prefix = ''] = process.argv.slice(2)
const cache = createCache({ redis: url, prefix, commandTimeout: '20s' })
await cache.ready()

let answer = (): void => {}
const told = new Promise<void>((resolve) => {
  answer = resolve
})
process.on('message', (word) => {
  if (word === 'answer') answer()
})

const tell = (word: object) => process.send?.(word)
const listener = accelerate(cache, async (_request, response) => {
  tell({ word: 'run' })
  await told
  response.setHeader('Cache-Control', 'max-age=60')
  response.end(`made by ${process.pid}`)
})
const server = createServer((request, response) => {
  tell({ word: 'asked' })
  listener(request, response)
}).listen(0, '127.0.0.1')
await once(server, 'listening')
tell({ word: 'listening', port: (server.address() as AddressInfo).port })

process.once('disconnect', () => process.exit())
