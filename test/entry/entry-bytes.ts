import type { Encoded } from '../../src/entry/codec.ts'
import type { Header } from '../../src/entry/header.ts'
import { writeHead, writeTail } from '../../src/entry/header.ts'

export interface EntryBytesOf {
  readonly header?: Partial<Header>
  readonly n0?: number
  readonly stamps?: readonly string[]
  readonly tags?: readonly string[]
  readonly encoded: Encoded
}

/** The bytes of an entry as the scripts put them together (`redis/lua/includes/entry_bytes.lua`). */
export function entryBytes({
  header,
  n0 = 100,
  stamps = ['100:00112233aabbccdd'],
  tags = [],
  encoded,
}: EntryBytesOf): Buffer {
  const head = writeHead({
    flags: encoded.flags,
    fillStamp: Buffer.from('0102030405060708', 'hex'),
    createdAt: 1_700_000_000_000,
    freshUntil: 1_700_000_060_000,
    staleUntil: 1_700_000_120_000,
    version: undefined,
    loadMs: 12,
    ...header,
  })
  head.writeDoubleBE(n0, 12)
  const section = Buffer.concat(
    stamps.map((stamp) => Buffer.concat([Buffer.of(stamp.length), Buffer.from(stamp, 'latin1')])),
  )
  const lengths = Buffer.alloc(6)
  lengths.writeUInt16BE(stamps.length, 0)
  lengths.writeUInt32BE(section.length, 2)
  return Buffer.concat([head, lengths, section, writeTail(tags, encoded.payload)])
}
