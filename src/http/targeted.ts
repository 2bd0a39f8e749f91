import { parseCacheControl } from './cache-control.ts'
import { combined, linesOf } from './message.ts'
import { TAG_FIELDS } from './response-tags.ts'
import { parseDictionary } from './structured-fields.ts'
import type { CacheControl } from './cache-control.ts'
import type { Fields } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Member } from './structured-fields.ts'

/** What a response says to this cache: the directives of one field. */
export interface Control {
  readonly directives: CacheControl
  /** They stand in a targeted field: then what `Cache-Control` and `Expires` say is for other caches. */
  readonly isTargeted: boolean
}

/** The options that bear on fields for this cache alone. */
export type TargetedSettings = Pick<HttpSettings, 'targeted' | 'tagFields'>

/**
 * The directives that this cache has to heed (RFC 9213, section 2.2): those of the first targeted field, in the order of
 * the option `targeted`, that is there, well-formed and not empty; else those of Cache-Control.
 */
export function controlOf(fields: Fields, settings: Pick<HttpSettings, 'targeted'>): Control {
  for (const name of settings.targeted) {
    const directives = targetedDirectives(combined(fields, name))
    if (directives) return { directives, isTargeted: true }
  }
  return { directives: parseCacheControl(combined(fields, 'cache-control')), isTargeted: false }
}

/** The names of fields that are for this cache, and go no further: targeted ones, and with `strip` those of tags. */
export function unsentNames({ targeted, tagFields }: TargetedSettings): readonly string[] {
  return tagFields === 'strip' ? [...targeted, ...TAG_FIELDS] : targeted
}

/** Those of {@link unsentNames} that a response has. */
export function unsentFields(fields: Fields, settings: TargetedSettings): readonly string[] {
  return unsentNames(settings).filter((name) => linesOf(fields, name).length > 0)
}

/** The members of a dictionary are the directives, and its parameters are ignored (section 2.1). */
function targetedDirectives(text: string | undefined): CacheControl | undefined {
  const members = text === undefined ? undefined : parseDictionary(text)
  if (members === undefined || members.size === 0) return undefined
  const directives = new Map<string, readonly (string | undefined)[]>()
  for (const [name, member] of members) if (!isFalse(member)) directives.set(name, [argumentOf(name, member)])
  return directives
}

/** Says that a directive does not hold. */
function isFalse(member: Member): boolean {
  return member.type === 'boolean' && !member.value
}

const SECONDS = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'])

/**
 * The argument of a directive, as Cache-Control would have it. A value of another type than the directive has is not
 * made to fit (section 2.1): it is an argument that says nothing, so that the strictest is assumed.
 */
function argumentOf(name: string, member: Member): string | undefined {
  switch (member.type) {
    case 'boolean':
      return undefined
    case 'integer':
      return String(member.value)
    case 'string':
    case 'token':
      return SECONDS.has(name) ? '' : member.value
    default:
      return ''
  }
}
