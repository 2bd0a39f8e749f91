import { isUtf8 } from 'node:buffer'
import { TierCacheError } from '../errors.ts'
import type { Bucket } from '../redis/bucket.ts'
import type { RedisClient } from '../redis/client.ts'
import type { Server } from '../redis/server.ts'
import { RecentKeys } from './recent-keys.ts'

/** How many names a server looks at for one page. */
const COUNT = 500

/** So many keys at least are remembered: SCAN may answer one more than once. */
const REMEMBERED = 100_000

/**
 * The keys of a namespace in Redis that begin with `prefix`: each page is one SCAN. Servers are asked one after the other,
 * until all that hold buckets have been; whoever comes to hold one meanwhile is asked for it, too.
 */
export async function* scanKeys(
  client: RedisClient,
  namespace: string,
  prefix: string,
): AsyncGenerator<readonly string[]> {
  await client.firstAttempt()
  const pattern = client.buckets[0]?.names.entriesPattern(namespace, prefix) ?? ''
  const listed = new RecentKeys(REMEMBERED)
  const scanned = new Map<Bucket, Server>()
  for (let server = await nextOf(client, scanned); server; server = await nextOf(client, scanned)) {
    const held = client.buckets.filter((bucket) => bucket.server === server)
    for await (const names of scan(client, server, pattern)) {
      yield names.flatMap((name) => keyOf(client, namespace, name) ?? []).filter((key) => listed.adds(key))
    }
    for (const bucket of held) scanned.set(bucket, server)
  }
}

/** A server that holds a bucket and was not scanned while it did. Rejects when nobody is known to hold one. */
async function nextOf(client: RedisClient, scanned: ReadonlyMap<Bucket, Server>): Promise<Server | undefined> {
  const left = () => client.buckets.find((each) => each.server === undefined || each.server !== scanned.get(each))
  let bucket = left()
  if (!bucket) {
    await client.topology.refresh()
    bucket = left()
  }
  if (!bucket || bucket.server) return bucket?.server
  throw new TierCacheError('ERR_REDIS_UNAVAILABLE', 'SCAN was not sent: not every bucket has a server that is known')
}

/**
 * Runs through all names of a server. A cursor is of no use to another run, because of this order of events:
 *   1. SCAN 0 answers some names, and a cursor
 *   2. the connection is lost; it comes back to another run, which has the same names in another order
 *   3. SCAN with that cursor answers 0, the end: some names were never looked at
 */
async function* scan(client: RedisClient, server: Server, pattern: string): AsyncGenerator<readonly Buffer[]> {
  const { losses } = server
  let cursor = '0'
  do {
    const [next, names] = await client.runOn<[Buffer, Buffer[]]>(server, 'SCAN', (redis) =>
      redis.callBuffer('SCAN', cursor, 'MATCH', pattern, 'COUNT', COUNT),
    )
    if (server.losses !== losses) {
      throw new TierCacheError(
        'ERR_REDIS_LOST',
        `SCAN cannot go on: the connection to ${server.name} was lost since it began`,
      )
    }
    yield names
    cursor = next.toString()
  } while (cursor !== '0')
}

/** The key of an entry that can be found under this name; `undefined` for all that others have put there. */
function keyOf(client: RedisClient, namespace: string, name: Buffer): string | undefined {
  if (!isUtf8(name)) return undefined
  const text = name.toString()
  const hashTag = text.slice(text.indexOf('{') + 1, text.indexOf('}'))
  const bucket = client.buckets.find(({ names }) => names.hashTag === hashTag)
  const key = bucket?.names.keyOf(namespace, text)
  return key && client.of({ namespace, key }) === bucket ? key : undefined
}
