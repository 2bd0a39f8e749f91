import { decode } from '../entry/codec.ts'
import type { Address } from '../entry/entry.ts'
import type { Envelope } from '../entry/envelope.ts'
import { schemaVersionIn } from '../entry/envelope.ts'
import type { HeaderRead } from '../entry/header.ts'
import { readHeader } from '../entry/header.ts'
import { namespaceGroup, namespacesAbove, tagGroup } from '../entry/key.ts'
import { readStamp } from '../entry/stamp.ts'
import type { Bucket } from '../redis/bucket.ts'
import type { Sight } from './tier.ts'

/**
 * Looks at what Redis has under an address, for people. It takes up to two MGETs of its own, which no reader waits for, and
 * changes nothing. `offset`: the server's time less our monotonic time.
 */
export async function sightOf(
  bucket: Bucket,
  envelope: Envelope,
  address: Address,
  schemaVersion: string | undefined,
  offset: number,
): Promise<Sight> {
  const { names } = bucket
  const above = namespacesAbove(address.namespace)
  const [bytes, ...clearStamps] = await read(bucket, [names.entry(address), ...names.clearStamps(address.namespace)])
  if (!bytes) return { word: 'missing' }
  let header: HeaderRead
  try {
    header = readHeader(bytes, above.length)
  } catch (error) {
    return { word: 'undecodable', bytes: bytes.length, message: messageOf(error) }
  }
  const { tags, version, loadMs, n0, stamps } = header
  const tagStamps =
    tags.length === 0
      ? []
      : await read(
          bucket,
          tags.map((tag) => names.tagStamp(tag)),
        )
  const groups = [...above.map(namespaceGroup), ...tags.map(tagGroup)]
  const current = [...clearStamps, ...tagStamps].map(readStamp)
  const inside = await insideOf(envelope, header, address, schemaVersion)
  return {
    word: 'entry',
    createdAt: header.createdAt - offset,
    freshUntil: header.freshUntil === 0 ? Number.NEGATIVE_INFINITY : header.freshUntil - offset,
    staleUntil: header.staleUntil - offset,
    bytes: bytes.length,
    tags,
    version,
    loadMs,
    moved: groups.filter((_, index) => current[index] !== undefined && current[index]?.name !== stamps[index]),
    lost: groups.filter((_, index) => current[index] === undefined),
    expired: groups.filter((_, index) => n0 < (current[index]?.softN ?? 0)),
    ...inside,
  }
}

function read(bucket: Bucket, keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
  return bucket.run('MGET', (redis) => redis.mgetBuffer(...keys))
}

/** The schema version of an entry; and why this process cannot read its value, if it cannot. */
async function insideOf(
  envelope: Envelope,
  header: HeaderRead,
  address: Address,
  schemaVersion: string | undefined,
): Promise<Pick<Extract<Sight, { word: 'entry' }>, 'schemaVersion' | 'incompatible' | 'undecodable'>> {
  let version: string | undefined
  try {
    version = schemaVersionIn(header)
    const opened = await envelope.open(header, address, schemaVersion)
    if (typeof opened === 'string') return { schemaVersion: version, incompatible: opened }
    decode(opened)
    return { schemaVersion: version }
  } catch (error) {
    return { schemaVersion: version, undecodable: messageOf(error) }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
