import KeyvRedis from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { Keyv } from 'keyv'

/** Without a bound, as it comes: with one (`lruSize`) it is slower. */
export function inMemory({ ttlMs, load }) {
  return opened(new Cacheable(), ttlMs, load)
}

export function onRedis({ url, ttlMs, load }) {
  return opened(new Cacheable({ primary: new Keyv({ store: new KeyvRedis(url) }) }), ttlMs, load)
}

function opened(cache, ttlMs, load) {
  return {
    read: (key) => cache.getOrSet(key, () => load(key), { ttl: ttlMs }),
    close: () => cache.disconnect(),
  }
}
