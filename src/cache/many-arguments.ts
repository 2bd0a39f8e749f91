import { types } from 'node:util'
import { badValue } from '../errors.ts'
import { isPlain } from './batch-loader.ts'
import type { SetOptions } from './call-options.ts'

/** A key with its value, and with options of its own over those of the call. */
export type ManyEntry = readonly [key: string, value: unknown, options?: SetOptions | undefined]

/** What `setMany` stores: a Map, pairs or triples of whatever can be iterated, or a plain object. */
export type ManyEntries = Iterable<ManyEntry> | { readonly [key: string]: unknown }

const KEYS_EXPECTED = 'an array, a Set or another iterable of keys'
const ENTRIES_EXPECTED = 'a Map, a plain object, or an iterable of [key, value] or [key, value, options]'

/** What iterates over keys. A text does, too, and is a mistake. */
export function readKeys(keys: Iterable<string>): Iterable<string> {
  if (!isIterable(keys)) throw badValue('ERR_INVALID_ARGUMENT', 'keys', KEYS_EXPECTED, keys)
  return keys
}

/** The entries by key; of several with one key the last one counts, in its place. */
export function readEntries(entries: ManyEntries): Map<string, ManyEntry> {
  if (isIterable(entries)) return byKey(types.isMap(entries) ? (entries.entries() as Iterable<ManyEntry>) : entries)
  if (isPlain(entries)) return byKey(Object.entries(entries))
  throw badValue('ERR_INVALID_ARGUMENT', 'entries', ENTRIES_EXPECTED, entries)
}

function byKey(entries: Iterable<ManyEntry>): Map<string, ManyEntry> {
  const read = new Map<string, ManyEntry>()
  for (const entry of entries) {
    if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3) {
      throw badValue('ERR_INVALID_ARGUMENT', 'entries', ENTRIES_EXPECTED, entry)
    }
    const [key] = entry as unknown as ManyEntry
    read.delete(key)
    read.set(key, entry as unknown as ManyEntry)
  }
  return read
}

function isIterable(value: unknown): value is Iterable<never> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Iterable<never>)[Symbol.iterator] === 'function'
  )
}
