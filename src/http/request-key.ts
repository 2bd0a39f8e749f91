import { createHash, hash } from 'node:crypto'
import { AUTHORITY } from './authority.ts'
import { searchClass, varianceText } from './no-vary-search.ts'
import { withNormalEncoding } from './percent-encoding.ts'
import { countParameters, parametersOf, splitTarget } from './query-parameters.ts'
import { nominated } from './vary.ts'
import type { HttpRequest, RequestHeaders } from './message.ts'
import type { SearchVariance } from './no-vary-search.ts'
import type { NormalizeSettings, QuerySettings } from './key-options.ts'
import type { HttpSettings } from './settings.ts'

/** What a resource with variants is told apart by. The nonce is new whenever the list is. */
export interface VariantRule {
  readonly nonce: string
  readonly fields: readonly string[]
}

/** What of the options bears on keys. */
export type KeySettings = Pick<
  HttpSettings,
  'query' | 'maxQueryParameters' | 'maxTargetLength' | 'keyHeaders' | 'normalize'
>

/**
 * The resource that a request names, as a text that no other resource has: scheme, validated lower-case authority, raw
 * path, what counts of the query, and the fields that the options declare, each with its length in front so that no
 * component can reach into the next. `undefined` if it names none that could be cached; {@link unnamed} says why.
 *
 * A QUERY is told apart by its content and by what says how to read that, too (RFC 10008, section 2.7).
 */
export function resourceOf(request: HttpRequest, settings: KeySettings): string | undefined {
  return unnamed(request, settings) ? undefined : textOf(request, keyedTarget(request.target, settings.query), settings)
}

/**
 * The class of resources that a request names under a variance (No-Vary-Search), as a text that no resource and no other
 * class has. `undefined` where its target is in none.
 */
export function classOf(request: HttpRequest, variance: SearchVariance, settings: KeySettings): string | undefined {
  const named = unnamed(request, settings)
    ? undefined
    : searchClass(keyedTarget(request.target, settings.query), variance)
  // A target begins with a slash.
  return named === undefined ? undefined : textOf(request, `?${varianceText(variance)}${named}`, settings)
}

function textOf(request: HttpRequest, named: string, settings: KeySettings): string {
  const { method, headers } = request
  let text = (originOf(request) ?? '') + prefixed(named)
  for (const field of settings.keyHeaders) {
    text += prefixed(field) + prefixed(nominated(headers, field, settings.normalize.by))
  }
  return method === 'QUERY' ? asked(request, text) : text
}

/**
 * Why a request names nothing that could be cached: a token for Cache-Status. `undefined`: it names something.
 *
 * - `target`: no or a malformed Host, or a target that is no path (`*`, a whole URL).
 * - `target-length`, `query-parameters`: more than the options allow.
 * - `content`: a QUERY whose content was not read.
 */
export function unnamed(request: HttpRequest, settings: KeySettings): Unnamed | undefined {
  return originOf(request) === undefined ? 'target' : unkeyable(request, settings)
}

export type Unnamed = 'target' | 'target-length' | 'query-parameters' | 'content'

function unkeyable({ method, target, content }: HttpRequest, settings: KeySettings): Unnamed | undefined {
  if (target.charCodeAt(0) !== SLASH) return 'target'
  if (target.length > settings.maxTargetLength) return 'target-length'
  const mark = target.indexOf('?')
  // Each parameter takes a character at least.
  if (mark >= 0 && target.length - mark > settings.maxQueryParameters) {
    if (countParameters(target.slice(mark + 1)) > settings.maxQueryParameters) return 'query-parameters'
  }
  return method === 'QUERY' && content === undefined ? 'content' : undefined
}

/**
 * The origin of a request (RFC 9110, section 4.3.1): scheme and authority, in lower case, without the port that the
 * scheme has anyway. `undefined` for a Host that is none.
 */
export function originOf({ scheme, host }: Pick<HttpRequest, 'scheme' | 'host'>): string | undefined {
  if (host === undefined) return undefined
  const known = origins.get(host)
  if (known !== undefined && known.scheme === scheme) return known.text
  const lower = host.toLowerCase()
  if (!AUTHORITY.test(lower)) return undefined
  const text = prefixed(scheme) + prefixed(lower.replace(scheme === 'https' ? /:443$/ : /:80$/, ''))
  if (origins.size >= MOST_ORIGINS) origins.clear()
  origins.set(host, { scheme, text })
  return text
}

/** Origins by the Host that named them: there are few, and every request asks. */
const origins = new Map<string, { readonly scheme: string; readonly text: string }>()
const MOST_ORIGINS = 1024

/**
 * Whether a request names the port that its scheme has anyway. It means the same pages, but the application may write
 * that port into them, and into redirects to another scheme where it leads nowhere: such a response is not for others.
 */
export function namesDefaultPort({ scheme, host = '' }: Pick<HttpRequest, 'scheme' | 'host'>): boolean {
  return host.endsWith(scheme === 'https' ? ':443' : ':80')
}

/**
 * The tag of what is stored for a URL under other keys than its own, of which there may be any number: pages that are told
 * apart by declared fields, answers to QUERY, and what was asked for in an unusual spelling. A purge of the URL drops the key and the tag.
 */
export function urlTag(request: OfUrl, settings: KeySettings): string | undefined {
  const origin = originOf(request)
  const target = keyedTarget(withNormalEncoding(request.target), settings.query)
  return origin === undefined ? undefined : `http:url:${digest(origin + prefixed(target))}`
}

/** The path that a request names, as a text that no other one has. `undefined` for a Host that is none. */
export function pathOf(request: OfUrl): string | undefined {
  const origin = originOf(request)
  return origin === undefined ? undefined : origin + prefixed(splitTarget(request.target).path)
}

/**
 * The tag of what is stored for classes of URLs of one path (No-Vary-Search). A purge of any of them drops all, since it
 * cannot know the variances that other processes have seen.
 */
export function pathTag(request: OfUrl): string | undefined {
  const path = pathOf(request)
  return path === undefined ? undefined : `http:path:${digest(path)}`
}

type OfUrl = Pick<HttpRequest, 'scheme' | 'host' | 'target'>

/** What counts of a target. */
export function keyedTarget(target: string, { counts, sort }: QuerySettings): string {
  if (!counts && !sort) return target
  const { path, query } = splitTarget(target)
  // Some parsers separate at a semicolon, or end at a number sign: they see other parameters than we do.
  if (query === undefined || /[;#]/.test(target)) return target
  let parameters = parametersOf(query)
  if (counts) parameters = parameters.filter(({ name }) => isAmbiguous(name) || doesCount(counts, name))
  if (sort) parameters = [...parameters].sort((one, other) => compare(stem(one.name), stem(other.name)))
  return parameters.length === 0 ? path : `${path}?${parameters.map(({ raw }) => raw).join('&')}`
}

/** Names that parsers read differently: those with brackets (`a[b]` may be a part of `a`), and malformed ones. */
function isAmbiguous(name: string): boolean {
  return /[[\]\ufffd\0]/.test(name)
}

/** What a function of the user cannot say counts: there are only more pages. */
function doesCount(counts: (name: string) => boolean, name: string): boolean {
  try {
    return counts(name)
  } catch {
    return true
  }
}

/** Parameters of one stem keep their order: to a parser that knows brackets, `a[]=1&a=2` is a list. */
function stem(name: string): string {
  return /[^[\]]+/.exec(name)?.[0] ?? ''
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** The fields that say how content is to be read (RFC 9110, section 8). */
export const OF_CONTENT = ['content-type', 'content-encoding', 'content-language', 'content-location']

function asked({ method, headers, content }: HttpRequest, resource: string): string {
  const hash = createHash('sha256').update(content ?? '')
  let text = prefixed(method) + resource + prefixed(hash.digest('base64url'))
  for (const field of OF_CONTENT) text += prefixed(nominated(headers, field))
  return text
}

/** The variant of a resource that a request asks for, under the rule that holds for the resource now. */
export function variantOf(
  resourceKey: string,
  rule: VariantRule,
  headers: RequestHeaders,
  normalize: NormalizeSettings,
): string {
  let text = `${prefixed(resourceKey)}${prefixed(rule.nonce)}`
  for (const field of rule.fields) text += prefixed(field) + prefixed(nominated(headers, field, normalize.by))
  return text
}

const SLASH = 0x2f

function prefixed(component: string): string {
  return `${component.length}:${component}`
}

/** A text as a key of the store. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
