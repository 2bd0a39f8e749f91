import { checkTagNames } from '../entry/key.ts'
import { audit } from './header-audit.ts'
import { combined } from './message.ts'
import { originFields } from './origin-fields.ts'
import { OF_CONTENT } from './request-key.ts'
import { ownTags, RESPONSE_TAGS_MOST } from './resource-tags.ts'
import { tagsOfFields } from './response-tags.ts'
import { storedVary } from './stored-response.ts'
import type { GuardWarnings } from './guard-warnings.ts'
import type { Audit } from './header-audit.ts'
import type { Field, HttpRequest, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { Candidate } from './storable.ts'
import type { HeaderReads } from './watched-headers.ts'

/**
 * Why a guard has a response not stored; a token for Cache-Status.
 *
 * - `audit`: its handler read request fields that are neither in the key nor in `Vary`.
 * - `too-many-tags`: more than an entry can carry. What cannot be made invalid by all of them is not kept.
 * - `tags`: the option failed.
 */
export type GuardRefusal = 'audit' | 'too-many-tags' | 'tags'

/** Watches over one response: what its handler reads of the request, and what it is tagged with. */
export class ResponseGuards {
  /** Where the face notes what is read, until the response is over. */
  readonly headerReads: HeaderReads = new Set()
  readonly #request: HttpRequest
  readonly #warnings: GuardWarnings
  readonly #tags = new Set<string>()
  /** The fields that the response that was sent is told apart by. */
  #keyed: readonly string[] = []
  #isAssumed = true

  constructor(request: HttpRequest, warnings: GuardWarnings) {
    this.#request = request
    this.#warnings = warnings
  }

  /** What the response is invalidated by. They were checked. */
  get tags(): readonly string[] {
    return [...this.#tags]
  }

  /** More than an entry can carry. */
  get hasTooManyTags(): boolean {
    return this.#tags.size > RESPONSE_TAGS_MOST
  }

  addTags(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
  }

  /** The head as it is to be sent and stored: with what `Vary` has to name besides, `unkeyed` among it. */
  withVary(head: ResponseHead, settings: HttpSettings, unkeyed: readonly string[]): ResponseHead {
    const named = storedVary(head)
    const missing = unkeyed.filter((name) => !named.includes(name))
    const vary = [...new Set([...this.#audit(head, settings).vary, ...missing])]
    if (vary.length === 0) return head
    const rest = head.fields.filter(([name]) => name.toLowerCase() !== 'vary')
    const said = combined(head.fields, 'vary')
    const field: Field = ['Vary', said === undefined ? vary.join(', ') : `${said}, ${vary.join(', ')}`]
    return { ...head, fields: [...rest, field] }
  }

  /** Judges what is known with the head; it has its `Vary` by then. */
  atHead({ head, lifetime }: Candidate, settings: HttpSettings): GuardRefusal | undefined {
    this.#isAssumed = lifetime?.source === 'default' || lifetime?.source === 'heuristic'
    const found = this.#audit(head, settings)
    this.#keyed = storedVary(head)
    if (found.refused.length > 0) {
      this.#warnings.audited(found.refused, this.#request)
      return 'audit'
    }
    if (found.told.length > 0) this.#warnings.unkeyed(found.told, this.#request)
    return this.#takeTags(head, settings)
  }

  /** Judges what was read, and added, after the head. Nothing can be added to `Vary` any more. */
  atEnd(settings: HttpSettings): GuardRefusal | undefined {
    const { refused, vary } = this.#audited(this.#keyed, settings)
    const names = [...refused, ...vary]
    if (names.length > 0) {
      this.#warnings.audited(names, this.#request)
      return 'audit'
    }
    return this.hasTooManyTags ? 'too-many-tags' : undefined
  }

  #takeTags({ fields }: ResponseHead, settings: HttpSettings): GuardRefusal | undefined {
    const { tags } = settings
    const named = tagsOfFields(fields)
    if (named.bad > 0) this.#warnings.badTags(named.bad, this.#request)
    this.addTags(named.tags)
    this.addTags(ownTags(this.#request, fields, settings))
    try {
      this.addTags(typeof tags === 'function' ? checkTagNames(tags(this.#request)) : tags)
    } catch (error) {
      this.#warnings.tagsFailed(error, this.#request)
      return 'tags'
    }
    return this.hasTooManyTags ? 'too-many-tags' : undefined
  }

  #audit(head: ResponseHead, settings: HttpSettings): Audit {
    return this.#audited(storedVary(head), settings)
  }

  #audited(keyed: readonly string[], { audit: rule, harmless, keyHeaders, cookies }: HttpSettings): Audit {
    const { headers, method } = this.#request
    const origin = originFields(this.#request)
    const ofContent = method === 'GET' || method === 'HEAD' ? [] : OF_CONTENT
    const vouched = [...harmless]
    if (cookies === 'ignore') vouched.push('cookie')
    // One word for both versions of HTTP.
    if (harmless.includes('host')) vouched.push(':authority')
    const terms = {
      rule,
      harmless: vouched,
      keyed: [...keyed, ...keyHeaders, ...origin.keyed, ...ofContent],
      contradicting: origin.contradicting,
      isAssumed: this.#isAssumed,
    }
    return audit(this.headerReads, headers, terms)
  }
}
