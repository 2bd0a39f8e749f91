import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { undecodable } from './header.ts'

/** The bytes of a key: AES-256. */
export const KEY_BYTES = 32

const CIPHER = 'aes-256-gcm'
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * The keys of a fleet, AES-256-GCM: the first one encrypts, all decrypt. A key goes by an id that is derived from it, so
 * that two processes cannot mean different keys by one id.
 *
 * | bytes | field |
 * |---|---|
 * | 8 | id of the key |
 * | 12 | nonce |
 * | … | the payload, encrypted |
 * | 16 | authentication tag |
 */
export class Keyring {
  readonly #first: { readonly id: Buffer; readonly key: KeyObject }
  readonly #byId = new Map<string, KeyObject>()

  constructor([first, ...others]: readonly [KeyObject, ...KeyObject[]]) {
    this.#first = { id: idOf(first), key: first }
    for (const key of [first, ...others]) this.#byId.set(idOf(key).toString('latin1'), key)
  }

  /** `nonce`: 12 random bytes that were never used before. `bound`: what the payload is valid with, and nothing else. */
  encrypt(payload: Buffer, bound: Buffer, nonce: Buffer): Buffer {
    const { id, key } = this.#first
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound)
    return Buffer.concat([id, nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()])
  }

  /** `unknown-key`: it was encrypted with a key that is not here. Throws `ERR_UNDECODABLE`. */
  decrypt(encrypted: Buffer, bound: Buffer): Buffer | 'unknown-key' {
    const end = encrypted.length - TAG_BYTES
    const start = ID_BYTES + NONCE_BYTES
    if (end < start) throw undecodable('nothing encrypted')
    const key = this.#byId.get(encrypted.toString('latin1', 0, ID_BYTES))
    if (!key) return 'unknown-key'
    const nonce = encrypted.subarray(ID_BYTES, start)
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(bound).setAuthTag(encrypted.subarray(end))
    const payload = decipher.update(encrypted.subarray(start, end))
    try {
      decipher.final()
    } catch (error) {
      throw undecodable('it is not what was encrypted under this key', error)
    }
    return payload
  }
}

/** A name for a key that tells nothing of it. */
function idOf(key: KeyObject): Buffer {
  return createHmac('sha256', key).update('tiercache key id').digest().subarray(0, ID_BYTES)
}
