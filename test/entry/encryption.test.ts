import { createSecretKey, webcrypto } from 'node:crypto'
import { expect, test } from 'vitest'
import { Keyring } from '../../src/entry/encryption.ts'

const bytesOf = (seed: number) => Buffer.alloc(32, seed)
const keyOf = (seed: number) => createSecretKey(bytesOf(seed))
const nonce = Buffer.from('00112233445566778899aabb', 'hex')
const bound = Buffer.from('tiercache:1:8::tc:_:k')
const payload = Buffer.from('a payload')
const encrypted = () => new Keyring([keyOf(1)]).encrypt(payload, bound, nonce)

test('it comes back, whatever its length', () => {
  const keyring = new Keyring([keyOf(1)])
  for (const length of [0, 1, 100_000]) {
    const bytes = Buffer.alloc(length, 7)
    const sealed = keyring.encrypt(bytes, bound, nonce)
    expect(sealed).toHaveLength(length + 36)
    expect(bytes.equals(keyring.decrypt(sealed, bound) as Buffer)).toBe(true)
  }
})

test('it is AES-256-GCM with the nonce in front, as another implementation reads it', async () => {
  const sealed = encrypted()
  expect(sealed.subarray(8, 20)).toEqual(nonce)
  const key = await webcrypto.subtle.importKey('raw', bytesOf(1), 'AES-GCM', false, ['decrypt'])
  const read = await webcrypto.subtle.decrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: bound, tagLength: 128 },
    key,
    sealed.subarray(20),
  )
  expect(Buffer.from(read)).toEqual(payload)
})

test('the first key encrypts, all decrypt, wherever they stand', () => {
  const [old, both, next] = [[keyOf(1)], [keyOf(2), keyOf(1)], [keyOf(2)]].map(
    (keys) => new Keyring(keys as [ReturnType<typeof keyOf>]),
  ) as [Keyring, Keyring, Keyring]
  expect(both.decrypt(old.encrypt(payload, bound, nonce), bound)).toEqual(payload)
  expect(next.decrypt(both.encrypt(payload, bound, nonce), bound)).toEqual(payload)
  expect(old.decrypt(both.encrypt(payload, bound, nonce), bound)).toBe('unknown-key')
  expect(next.decrypt(old.encrypt(payload, bound, nonce), bound)).toBe('unknown-key')
})

test('the id of a key has nothing of the key', () => {
  const id = encrypted().subarray(0, 8)
  expect(bytesOf(1).includes(id)).toBe(false)
  expect(new Keyring([keyOf(2)]).encrypt(payload, bound, nonce).subarray(0, 8)).not.toEqual(id)
})

test('one bit that is changed, in any place, and it is not read', () => {
  const keyring = new Keyring([keyOf(1)])
  const sealed = encrypted()
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    if (bit < 64) expect(keyring.decrypt(changed, bound)).toBe('unknown-key')
    else expect(() => keyring.decrypt(changed, bound)).toThrow('not what was encrypted')
  }
})

test('bound to something else it is not read', () => {
  const keyring = new Keyring([keyOf(1)])
  expect(() => keyring.decrypt(encrypted(), Buffer.from('tiercache:1:8::tc:_:l'))).toThrow(
    expect.objectContaining({ code: 'ERR_UNDECODABLE' }),
  )
})

test('what is too short is not read', () => {
  const keyring = new Keyring([keyOf(1)])
  const sealed = encrypted()
  for (let length = 0; length < sealed.length; length++) {
    expect(() => keyring.decrypt(sealed.subarray(0, length), bound)).toThrow(
      expect.objectContaining({ code: 'ERR_UNDECODABLE' }),
    )
  }
})
