import { createSecretKey } from 'node:crypto'
import type { Encoded } from '../../src/entry/codec.ts'
import { encode } from '../../src/entry/codec.ts'
import type { Algorithm } from '../../src/entry/compression.ts'
import type { Notice } from '../../src/entry/notice.ts'
import { keySubject, noticeBody, wakeUp } from '../../src/entry/notice.ts'
import { entryBytes } from '../entry/entry-bytes.ts'
import { envelopeOf } from '../entry/envelope-of.ts'
import { systemClock } from '../../src/clock.ts'

/** The values whose entries are kept in `entry-v1.hex`. New names may be added; none may change or go. */
export const values: Readonly<Record<string, unknown>> = {
  null: null,
  zero: 0,
  'minus-zero': -0,
  integer: -9_007_199_254_740_991,
  float: 0.1,
  'large-number': 1e300,
  'not-finite': [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  false: false,
  'empty-text': '',
  text: 'Grüße, 世界 😀\r\n\0',
  'long-text': 'x'.repeat(300),
  array: [1, 'two', [3.5, [null]], undefined],
  object: JSON.parse(
    '{"id":7,"name":"Ada","nested":{"deep":{"deeper":true}},"":0,"constructor":1,"toJSON":"x","then":[]}',
  ),
  'object-of-20': Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index])),
  map: new Map<unknown, unknown>([
    ['a', 1],
    [{ id: 1 }, new Map([[2n, new Set(['x', [1]])]])],
  ]),
  set: new Set([1, 'two', new Date(3)]),
  dates: [new Date(0), new Date(1_700_000_000_123), new Date(-1), new Date(8.64e15), new Date(-8.64e15)],
  bigints: [0n, -1n, 2n ** 63n, -(2n ** 64n), 123_456_789_012_345_678_901_234_567_890n],
  buffer: Buffer.from('00ff10', 'hex'),
  'array-buffer': new Uint8Array([1, 2, 3]).buffer,
  'data-view': new DataView(new Uint8Array([1, 2, 3]).buffer),
  'typed-arrays': [
    new Int8Array([-1]),
    new Uint8Array([255]),
    new Uint8ClampedArray([255]),
    new Int16Array([-2]),
    new Uint16Array([65_535]),
    new Int32Array([-3]),
    new Uint32Array([4_294_967_295]),
    new Float32Array([0.5]),
    new Float64Array([0.1]),
    new BigInt64Array([-4n]),
    new BigUint64Array([5n]),
  ],
}

/** What stands in the headers of all entries in `entry-v1.hex`. */
export const header = {
  fillStamp: Buffer.from('0102030405060708', 'hex'),
  createdAt: 1_700_000_000_000.25,
  freshUntil: 1_700_000_060_000,
  staleUntil: Number.POSITIVE_INFINITY,
  version: 3,
  loadMs: 12,
}
export const n0 = 1_790_000_000_000_001
/** Of the root and one namespace, then of the tags. */
export const stamps = [
  '1790000000000000:00112233aabbccdd',
  '1:0000000000000000',
  '2:ffffffffffffffff',
  '3:0123456789abcdef',
]
export const above = 2
export const tags = ['product:7', 'Grüße']

/** What an entry in `sealed-v1.hex` was put into. */
export interface Sealed {
  readonly value: unknown
  readonly algorithm?: Algorithm
  readonly isEncrypted?: boolean
  readonly schemaVersion?: string
}

const report = { title: 'Grüße', rows: Array.from({ length: 40 }, (_, id) => ({ id, state: 'shipped' })) }

/** The entries that are kept in `sealed-v1.hex`. New names may be added; none may change or go. */
export const sealed: Readonly<Record<string, Sealed>> = {
  versioned: { value: report, schemaVersion: 'user-2' },
  'versioned-null': { value: null, schemaVersion: '7' },
  deflate: { value: report, algorithm: 'deflate' },
  zstd: { value: report, algorithm: 'zstd' },
  encrypted: { value: report, isEncrypted: true },
  'encrypted-null': { value: null, isEncrypted: true },
  'encrypted-versioned-deflate': { value: report, algorithm: 'deflate', isEncrypted: true, schemaVersion: 'user-2' },
}

/** Where the entries of `sealed-v1.hex` stand. */
export const sealedAt = { namespace: 'shop.users', key: 'Grüße' }

/** The envelope of an entry in `sealed-v1.hex`; its one key has the bytes 0 to 31. */
export function envelopeOfSealed({ algorithm, isEncrypted }: Sealed) {
  return envelopeOf({
    prefix: 'tiercache',
    compression: algorithm && { threshold: 1, algorithm },
    keys: isEncrypted ? [createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))] : undefined,
    clock: { ...systemClock, nonce: () => '000102030405060708090a0b' },
  })
}

/** A sealed entry's bytes as this version writes them. */
export function writeSealed(sample: Sealed): Buffer {
  const encoded = envelopeOfSealed(sample).seal(encode(sample.value), sealedAt, sample.schemaVersion) as Encoded
  return entryBytes({ header, n0, stamps, tags, encoded })
}

/** Every notice in `notices-v1.txt`. */
export const notices: Readonly<Record<string, Notice>> = {
  deleted: link('D', '_:user:1'),
  set: link('S', 'shop.users:"quoted"\r\n\0{x}😀'),
  expired: link('E', '_:k'),
  'tag-invalidated': link('T', 'product:7'),
  'tag-expired': link('U', 'product:7'),
  cleared: link('X', 'shop.users'),
  session: link('Y', '_:0f'),
  filled: { previousTip: '', tip: '', n: '0', operation: 'F', origin: 'ffffffffffffffff', subject: '_:k' },
  released: { previousTip: '', tip: '', n: '0', operation: 'R', origin: 'ffffffffffffffff', subject: '_:k' },
}

function link(operation: Notice['operation'], subject: string): Notice {
  return {
    previousTip: '0123456789abcdef',
    tip: 'fedcba9876543210',
    n: '1790000000000001',
    operation,
    origin: 'ffffffffffffffff',
    subject,
  }
}

/** An entry's bytes as this version writes them. */
export function writeEntry(value: unknown): Buffer {
  return entryBytes({ header, n0, stamps, tags, encoded: encode(value) })
}

/** A notice's text as this version writes it; the part before the body is written by `redis/lua/includes/chain.lua`. */
export function writeNotice({ previousTip, tip, n, operation, origin, subject }: Notice): string {
  if (operation === 'F' || operation === 'R') return wakeUp(operation, origin, subject)
  return `[1,"${previousTip}","${tip}","${n}",${noticeBody(operation, origin, subject)}`
}

/** The subject of a notice about a key is what `keySubject` makes. */
export const keySubjectOfDeleted = keySubject({ namespace: '_', key: 'user:1' })
