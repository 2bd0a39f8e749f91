import type { Cache, CacheEventName, CacheEvents } from 'tiercache'

/** The next event of a cache. */
export function once<Name extends CacheEventName>(cache: Cache, name: Name): Promise<CacheEvents[Name]> {
  return new Promise((resolve) => {
    const off = cache.on(name, (event) => {
      off()
      resolve(event)
    })
  })
}
