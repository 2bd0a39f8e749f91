/** Asks a cache whose Cluster instance has ended before, in a process in which nothing else is alive. Ends by itself. */
import { Cluster } from 'ioredis'
import { createCache } from '../../src/create-cache.ts'

const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true })
const ended = new Promise((resolve) => cluster.once('end', resolve))
cluster.disconnect()
await ended
const cache = createCache({ redis: cluster })
cache.on('warning', ({ message }) => void process.stdout.write(`${message}\n`))
process.stdout.write(`${await cache.getOrSet('k', () => 'loaded')}\n`)
await cache.close()
