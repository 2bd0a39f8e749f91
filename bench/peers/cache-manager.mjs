import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'

/** Without a bound, as it comes: with one (`CacheableMemory` with `lruSize`) it is slower. */
export function inMemory({ ttlMs, load }) {
  return opened(createCache(), ttlMs, load)
}

export function onRedis({ url, ttlMs, load }) {
  return opened(createCache({ stores: [new Keyv({ store: new KeyvRedis(url) })] }), ttlMs, load)
}

function opened(cache, ttlMs, load) {
  return {
    read: (key) => cache.wrap(key, () => load(key), ttlMs),
    close: () => cache.disconnect(),
  }
}
