import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'

export function inMemory({ entriesMost, ttlMs, load }) {
  return opened(bentostore().useL1Layer(memoryDriver({ maxItems: entriesMost })), ttlMs, load)
}

export function onRedis({ connection, ttlMs, load }) {
  return opened(bentostore().useL2Layer(redisDriver({ connection })), ttlMs, load)
}

function opened(store, ttlMs, load) {
  const cache = new BentoCache({ default: 'only', stores: { only: store } })
  return {
    read: (key) => cache.getOrSet({ key, ttl: ttlMs, factory: () => load(key) }),
    close: () => cache.disconnectAll(),
  }
}
