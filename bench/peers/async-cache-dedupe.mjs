import { createCache } from 'async-cache-dedupe'
import { Redis } from 'ioredis'

export function inMemory({ entriesMost, ttlMs, load }) {
  return opened({ type: 'memory', options: { size: entriesMost } }, ttlMs, load, async () => {})
}

export function onRedis({ url, ttlMs, load }) {
  const client = new Redis(url)
  return opened({ type: 'redis', options: { client } }, ttlMs, load, async () => client.disconnect())
}

function opened(storage, ttlMs, load, close) {
  const cache = createCache({ ttl: ttlMs / 1000, storage }).define('product', async (key) => load(key))
  return { read: (key) => cache.product(key), close }
}
