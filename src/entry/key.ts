import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { badValue } from '../errors.ts'
import type { Address } from './entry.ts'

/** The most bytes of UTF-8 that a key may have. */
export const KEY_BYTES_MOST = 8192

/** The name under which entries of no namespace stand in Redis. */
export const ROOT_NAMESPACE = '_'

const WORD = /^[A-Za-z0-9_.-]{1,64}$/
const WORD_EXPECTED = '1 to 64 characters of [A-Za-z0-9_.-]'

/** Checks a user's key. Throws `ERR_INVALID_KEY`. Keys are never normalised: what differs is another key. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string' || key === '') throw badValue('ERR_INVALID_KEY', 'key', 'a string that is not empty', key)
  // A UTF-16 unit becomes at most three bytes, so short keys need no count.
  if (key.length * 3 > KEY_BYTES_MOST && Buffer.byteLength(key) > KEY_BYTES_MOST) {
    throw badValue('ERR_INVALID_KEY', 'key', `at most ${KEY_BYTES_MOST} bytes of UTF-8`, key)
  }
  // Lone surrogates all become U+FFFD in UTF-8, so two such keys would collide in Redis.
  if (!isWellFormed(key)) throw badValue('ERR_INVALID_KEY', 'key', 'well-formed Unicode (no lone surrogates)', key)
}

const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether a text has no lone surrogates: only then is it the same again after UTF-8. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** Checks the prefix of all names in Redis. Throws `ERR_INVALID_NAMESPACE`. */
export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string' || !WORD.test(prefix)) {
    throw badValue('ERR_INVALID_NAMESPACE', 'prefix', WORD_EXPECTED, prefix)
  }
}

/**
 * The full name of a namespace opened from another. Names nest by dots: `users` in `shop` is `shop.users`, and is the
 * same namespace as `shop.users` opened from the root. Throws `ERR_INVALID_NAMESPACE`.
 */
export function namespaceWithin(parent: string, name: unknown): string {
  const full = parent === ROOT_NAMESPACE ? name : `${parent}.${String(name)}`
  const bad = typeof name !== 'string' || typeof full !== 'string' || !WORD.test(full) || full.split('.').includes('')
  if (bad || name === ROOT_NAMESPACE) {
    throw badValue(
      'ERR_INVALID_NAMESPACE',
      'namespace',
      `${WORD_EXPECTED}, parts between dots not empty, not '_'`,
      name,
    )
  }
  return full
}

/** A namespace and those above it, the root first: whoever clears one of them clears its entries too. */
export function namespacesAbove(namespace: string): readonly string[] {
  if (namespace === ROOT_NAMESPACE) return [ROOT_NAMESPACE]
  const parts = namespace.split('.')
  return [ROOT_NAMESPACE, ...parts.map((_, index) => parts.slice(0, index + 1).join('.'))]
}

/**
 * The name of an entry in this process, distinct for distinct addresses: keys of the root stand for themselves, so
 * that the commonest hit costs no new string.
 */
export function localId(namespace: string, key: string): string {
  if (namespace === ROOT_NAMESPACE && key.charCodeAt(0) !== 0) return key
  return `\0${namespace}\0${key}`
}

/** The key that goes by a name in this process, if that is a name of this namespace: what {@link localId} was made of. */
export function localKey(namespace: string, id: string): string | undefined {
  const start = `\0${namespace}\0`
  if (id.startsWith(start)) return id.slice(start.length)
  return namespace === ROOT_NAMESPACE && id.charCodeAt(0) !== 0 ? id : undefined
}

/**
 * The bucket of an entry, by its name in this process: the same in all processes, for as long as there are as many
 * buckets.
 */
export function bucketOf(id: string, buckets: number): number {
  return buckets === 1 ? 0 : crc32(id) % buckets
}

/** For how many namespaces the names of their stamps are kept ready, and for how many stamps their fields. */
const REMEMBERED_MOST = 1000

/** How many fields of the chain head note the last invalidation of tags whose own stamp is gone. */
const TAG_FIELDS = 64

/** The names that a change of one entry touches. */
export interface EntryNames {
  readonly entry: string
  readonly lease: string
  readonly chain: string
}

/**
 * The names of everything that one cache keeps in a bucket in Redis. All keys that a script touches are in one, and
 * have its hash tag, so that they share a slot on a Cluster. The user's text comes last, so that it can neither be mistaken for
 * another name nor move the slot.
 */
export class RedisNames {
  readonly chain: string
  readonly channel: string
  readonly hashTag: string
  readonly #prefix: string
  readonly #base: string
  readonly #clearStamps = new Map<string, readonly string[]>()

  constructor(prefix: string, database: number, hashTag = '0') {
    this.hashTag = hashTag
    this.#prefix = prefix
    this.#base = `${prefix}:{${hashTag}}`
    this.chain = `${this.#base}:q`
    this.channel = `${this.#base}:c:${database}`
  }

  /** Where nothing ever is. */
  get nothing(): string {
    return `${this.#base}:r`
  }

  entry({ namespace, key }: Address): string {
    return `${this.#base}:v:${namespace}:${key}`
  }

  /** The key of an entry, by its name; `undefined` for another namespace, another bucket, and what is no entry. */
  keyOf(namespace: string, name: string): string | undefined {
    const start = this.entry({ namespace, key: '' })
    return name.startsWith(start) ? name.slice(start.length) : undefined
  }

  /**
   * The pattern that SCAN is to match for the entries of a namespace whose keys begin with `prefix`, in whichever bucket.
   * Other names may match it, too.
   */
  entriesPattern(namespace: string, prefix: string): string {
    return `${this.#prefix}:{*}:v:${namespace}:${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
  }

  lease(address: Address): string {
    return `${this.#base}:l:${address.namespace}:${address.key}`
  }

  /** All that a change of one entry touches. */
  ofEntry(address: Address): EntryNames {
    return { entry: this.entry(address), lease: this.lease(address), chain: this.chain }
  }

  clearStamp(namespace: string): string {
    return `${this.#base}:k:${namespace}`
  }

  /** The clear stamps of a namespace and of those above it. */
  clearStamps(namespace: string): readonly string[] {
    let stamps = this.#clearStamps.get(namespace)
    if (!stamps) {
      stamps = namespacesAbove(namespace).map((each) => this.clearStamp(each))
      if (this.#clearStamps.size < REMEMBERED_MOST) this.#clearStamps.set(namespace, stamps)
    }
    return stamps
  }

  tagStamp(tag: string): string {
    return `${this.#base}:t:${tag}`
  }
}

/** The name of a tag among the groups: what can be made void as one. */
export function tagGroup(tag: string): string {
  return `t:${tag}`
}

/** The name of a bucket among the groups: a gap in its notices makes all of it void. */
export function bucketGroup(bucket: number): string {
  return `b:${bucket}`
}

/** The name of a namespace among the groups. */
export function namespaceGroup(namespace: string): string {
  return `k:${namespace}`
}

/** The most bytes of UTF-8 that the name of a tag may have, and the most tags of one entry. */
export const TAG_BYTES_MOST = 512
export const TAGS_MOST = 64

/** Checks the tags of an entry, and leaves out repetitions. Throws `ERR_INVALID_TAG`. */
export function checkTags(tags: unknown): readonly string[] {
  const names = checkTagNames(tags)
  if (names.length > TAGS_MOST) throw badValue('ERR_INVALID_TAG', 'tags', `at most ${TAGS_MOST}`, tags)
  return names
}

/** Checks names of tags, however many, and leaves out repetitions. Throws `ERR_INVALID_TAG`. */
export function checkTagNames(tags: unknown): readonly string[] {
  if (!Array.isArray(tags)) throw badValue('ERR_INVALID_TAG', 'tags', 'an array of texts', tags)
  const names = [...new Set<unknown>(tags)]
  for (const tag of names) {
    if (typeof tag !== 'string' || tag === '' || Buffer.byteLength(tag) > TAG_BYTES_MOST || !isWellFormed(tag)) {
      throw badValue('ERR_INVALID_TAG', 'tag', `a well-formed text of 1 to ${TAG_BYTES_MOST} bytes of UTF-8`, tag)
    }
  }
  return names as string[]
}

const knownFields = new Map<string, string>()

/** The field of the chain head that a stamp falls back on, by the stamp's name. */
export function chainField(stampName: string): string {
  const known = knownFields.get(stampName)
  if (known !== undefined) return known
  const field = String(createHash('sha256').update(stampName).digest().readUInt16BE() % TAG_FIELDS)
  if (knownFields.size < REMEMBERED_MOST) knownFields.set(stampName, field)
  return field
}
