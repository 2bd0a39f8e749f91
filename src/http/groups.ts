import { createHash } from 'node:crypto'
import { combined } from './message.ts'
import { originOf } from './request-key.ts'
import { parseList } from './structured-fields.ts'
import { isSafe } from './unsafe-methods.ts'
import type { Fields, HttpRequest, ResponseHead } from './message.ts'

/** What tells the origin that a group is of. */
type OfOrigin = Pick<HttpRequest, 'scheme' | 'host'>

/**
 * The tags of the groups that a response belongs to (RFC 9875, section 2). Two responses are in one group if they name it
 * character by character and have one origin (section 2.1).
 */
export function groupTags(request: OfOrigin, fields: Fields): readonly string[] {
  return tagsOf(request, strings(fields, 'cache-groups'))
}

/**
 * The tags of the groups that a response makes invalid (RFC 9875, section 3), whatever its status: it says so itself. Only
 * the response to an unsafe request may.
 */
export function invalidatedGroupTags(
  request: OfOrigin & Pick<HttpRequest, 'method'>,
  head: ResponseHead,
): readonly string[] {
  return isSafe(request.method) ? [] : tagsOf(request, strings(head.fields, 'cache-group-invalidation'))
}

/** The tag of a group by its name, as a purge gives it. `undefined` for a Host that is none. */
export function groupTag(request: OfOrigin, group: string): string | undefined {
  const origin = originOf(request)
  // The text of an origin tells its own length: no name of a group can reach into it.
  return (
    origin &&
    `http:group:${createHash('sha256')
      .update(origin + group)
      .digest('base64url')}`
  )
}

function tagsOf(request: OfOrigin, groups: readonly string[]): readonly string[] {
  return groups.map((group) => groupTag(request, group)).filter((tag) => tag !== undefined)
}

/** A List of Strings, each once; parameters say nothing, and a field that is no such list is ignored (RFC 9651, section 1.1). */
function strings(fields: Fields, name: string): readonly string[] {
  const text = combined(fields, name)
  const members = text === undefined ? [] : (parseList(text) ?? [])
  const names = members.map((member) => (member.type === 'string' ? member.value : undefined))
  return names.every((each) => each !== undefined) ? [...new Set(names)] : []
}
