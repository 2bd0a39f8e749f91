import { Redis } from 'ioredis'
import { Loader, RedisCache } from 'layered-loader'

export function inMemory({ entriesMost, ttlMs, load }) {
  const loader = new Loader({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: ttlMs, maxItems: entriesMost },
    dataSourceGetOneFn: async (key) => load(key),
  })
  return { read: (key) => loader.get(key), close: async () => {} }
}

export function onRedis({ url, ttlMs, load }) {
  const redis = new Redis(url)
  const loader = new Loader({
    asyncCache: new RedisCache(redis, { json: true, prefix: 'layered', ttlInMsecs: ttlMs }),
    dataSourceGetOneFn: async (key) => load(key),
  })
  return { read: (key) => loader.get(key), close: async () => redis.disconnect() }
}
