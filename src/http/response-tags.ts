import { isWellFormed, TAG_BYTES_MOST } from '../entry/key.ts'
import { splitList } from './cache-control.ts'
import { linesOf } from './message.ts'
import type { Fields } from './message.ts'

/** Fields by which applications tell caches in front of them the tags of a response, in lower case. */
export const TAG_FIELDS = ['surrogate-key', 'cache-tag'] as const

/** The tags that fields name. */
export interface FieldTags {
  readonly tags: readonly string[]
  /** How many were no tags: longer than 512 bytes, or not well-formed. Nothing can be made invalid by such a one. */
  readonly bad: number
}

const NONE: FieldTags = { tags: [], bad: 0 }

/**
 * The tags of `Surrogate-Key` (separated by spaces) and `Cache-Tag` (by commas), each once, as they are written: those of
 * the application's own entries may be among them.
 */
export function tagsOfFields(fields: Fields): FieldTags {
  const named = [
    ...linesOf(fields, 'surrogate-key').flatMap((line) => line.split(/[ \t]+/)),
    ...linesOf(fields, 'cache-tag').flatMap(splitList),
  ].filter((tag) => tag !== '')
  if (named.length === 0) return NONE
  const tags = new Set(named.filter(isTag))
  return { tags: [...tags], bad: named.filter((tag) => !isTag(tag)).length }
}

function isTag(tag: string): boolean {
  return Buffer.byteLength(tag) <= TAG_BYTES_MOST && isWellFormed(tag)
}
