import type { KeyObject } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Incompatibility } from '../events.ts'
import type { Encoded } from './codec.ts'
import type { Algorithm } from './compression.ts'
import { compress, decompress } from './compression.ts'
import { Keyring } from './encryption.ts'
import type { Address } from './entry.ts'
import { FLAG_COMPRESSED, FLAG_ENCRYPTED, FLAG_INTEGER, FLAG_VERSIONED, FORMAT, undecodable } from './header.ts'

export interface EnvelopeSettings {
  /** From how many bytes on payloads are compressed, and how; `undefined`: never. */
  readonly compression: { readonly threshold: number; readonly algorithm: Algorithm } | undefined
  /** The first one encrypts, all decrypt; `undefined`: nothing is encrypted. */
  readonly keys: readonly [KeyObject, ...KeyObject[]] | undefined
}

const SEALED = FLAG_COMPRESSED | FLAG_ENCRYPTED | FLAG_VERSIONED

/**
 * What a payload is put into on its way to Redis, from the inside: compression, encryption, and in the clear the version
 * of the schema, behind a byte that tells its length. Integers go without, since scripts count with them.
 */
export class Envelope {
  readonly #prefix: string
  readonly #compression: EnvelopeSettings['compression']
  readonly #keyring: Keyring | undefined
  readonly #bytesMost: number
  readonly #clock: Clock
  readonly #isNone: boolean

  /** `prefix`: that of all names in Redis. `bytesMost`: the most bytes that a payload may have. */
  constructor(prefix: string, { compression, keys }: EnvelopeSettings, bytesMost: number, clock: Clock) {
    this.#prefix = prefix
    this.#compression = compression
    this.#keyring = keys && new Keyring(keys)
    this.#bytesMost = bytesMost
    this.#clock = clock
    this.#isNone = compression === undefined && keys === undefined
  }

  /** A promise where the payload is large. */
  seal(encoded: Encoded, address: Address, schemaVersion: string | undefined): Encoded | Promise<Encoded> {
    if ((this.#isNone && schemaVersion === undefined) || encoded.flags === FLAG_INTEGER) return encoded
    const compressed = this.#compressed(encoded.payload)
    if (!(compressed instanceof Promise)) return this.#closed(encoded, compressed, address, schemaVersion)
    return compressed.then((bytes) => this.#closed(encoded, bytes, address, schemaVersion))
  }

  #compressed(payload: Buffer): ReturnType<typeof compress> {
    const compression = this.#compression
    if (!compression || payload.length < compression.threshold) return undefined
    return compress(compression.algorithm, payload)
  }

  #closed(
    encoded: Encoded,
    compressed: Buffer | undefined,
    address: Address,
    schemaVersion: string | undefined,
  ): Encoded {
    const flags =
      encoded.flags |
      (compressed ? FLAG_COMPRESSED : 0) |
      (this.#keyring ? FLAG_ENCRYPTED : 0) |
      (schemaVersion === undefined ? 0 : FLAG_VERSIONED)
    const inner = compressed ?? encoded.payload
    const bound = () => this.#bound(flags, schemaVersion, address)
    const payload = this.#keyring
      ? this.#keyring.encrypt(inner, bound(), Buffer.from(this.#clock.nonce(12), 'hex'))
      : inner
    return { flags, payload: schemaVersion === undefined ? payload : withVersion(schemaVersion, payload) }
  }

  /**
   * What {@link seal} was given, or why this process may not have it; a promise where it is large. Throws, or rejects
   * with, `ERR_UNDECODABLE`: what was altered, or moved from another key, is so too.
   */
  open(
    encoded: Encoded,
    address: Address,
    schemaVersion: string | undefined,
  ): Encoded | Incompatibility | Promise<Encoded> {
    const { flags, payload } = encoded
    if (flags === FLAG_INTEGER) return encoded
    if ((flags & SEALED) === 0 && schemaVersion === undefined && !this.#keyring) return encoded
    const inside = flags & ~SEALED
    if (inside === FLAG_INTEGER) throw undecodable('an integer that no script can read')
    const [version, closed] = (flags & FLAG_VERSIONED) === 0 ? [undefined, payload] : splitVersion(payload)
    if (version !== schemaVersion) return 'schema-version'
    const inner = this.#decrypted(flags, closed, version, address)
    if (typeof inner === 'string') return inner
    if ((flags & FLAG_COMPRESSED) === 0) return { flags: inside, payload: inner }
    const opened = decompress(inner, this.#bytesMost)
    if (typeof opened === 'string') return opened
    if (!(opened instanceof Promise)) return { flags: inside, payload: opened }
    return opened.then((bytes) => ({ flags: inside, payload: bytes }))
  }

  #decrypted(
    flags: number,
    payload: Buffer,
    version: string | undefined,
    address: Address,
  ): Buffer | 'unknown-key' | 'not-encrypted' {
    if ((flags & FLAG_ENCRYPTED) === 0) return this.#keyring ? 'not-encrypted' : payload
    return this.#keyring ? this.#keyring.decrypt(payload, this.#bound(flags, version, address)) : 'unknown-key'
  }

  /** What is authenticated with a payload. The words before the key have no colon, so that no two addresses are alike. */
  #bound(flags: number, version: string | undefined, { namespace, key }: Address): Buffer {
    return Buffer.from(`tiercache:${FORMAT}:${flags}:${version ?? ''}:${this.#prefix}:${namespace}:${key}`)
  }
}

/** The schema version that an entry names in the clear; throws `ERR_UNDECODABLE` where it does not fit. */
export function schemaVersionIn({ flags, payload }: Encoded): string | undefined {
  return (flags & FLAG_VERSIONED) === 0 ? undefined : splitVersion(payload)[0]
}

function withVersion(version: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(version.length), Buffer.from(version, 'latin1'), payload])
}

function splitVersion(bytes: Buffer): [version: string, payload: Buffer] {
  const end = 1 + (bytes[0] ?? 0)
  if (bytes.length < end) throw undecodable('a version that does not fit')
  return [bytes.toString('latin1', 1, end), bytes.subarray(end)]
}
