import { expect, test } from 'vitest'
import { fill } from '../conformance/keys.suite.ts'
import { withOneRedis } from '../doubles/caches.ts'

/**
 * The order of events:
 *   1. SCAN 0 answers some names, and a cursor
 *   2. the connection is lost; it comes back to another run, which has the same names in another order
 *   3. SCAN with that cursor answers 0, the end: some names were never looked at
 * The listing rejects, and does not end.
 */
withOneRedis('a SCAN of another run', 'its server is started anew', (kit) => {
  test('a listing does not end where another run says so', async () => {
    const cache = await kit.make({ commandTimeout: '5s' })
    const keys = Array.from({ length: 3000 }, (_, index) => `key ${index}`)
    await fill(cache, keys)
    const listing = cache.keys()
    const seen: unknown[] = [(await listing.next()).value]
    const connected = new Promise((resolve) => cache.on('connected', resolve))
    await kit.server().restart()
    await connected
    await fill(cache, keys)
    const rest = async () => {
      for (let next = await listing.next(); !next.done; next = await listing.next()) seen.push(next.value)
    }
    await expect(rest()).rejects.toMatchObject({ name: 'TierCacheError', code: 'ERR_REDIS_LOST' })
    expect(seen.length).toBeLessThan(keys.length)
  })
})
