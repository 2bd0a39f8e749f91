import { badValue } from '../errors.ts'
import { withNormalEncoding } from './percent-encoding.ts'
import type { HttpRequest } from './message.ts'

/** What a purge takes a request for, so that it finds the key under which its response stands. */
type Asked = Pick<HttpRequest, 'scheme' | 'host' | 'target'>

/**
 * The resources that a URL names: its path as it is written, and as URL parsers and the rules of percent-encoding normalise it,
 * since keys are made of raw targets; under `http` and `https` alike, since an application behind a proxy may not know which one its clients used. A path
 * alone (`/products/7`) is one on each of `hosts`. Throws `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * purgedTargets('https://shop.example/products/7', [])
 */
export function purgedTargets(url: unknown, hosts: readonly string[]): readonly Asked[] {
  const text = url instanceof URL ? url.href : url
  if (typeof url === 'string' && url.includes('*')) throw badValue('ERR_INVALID_ARGUMENT', 'url', NO_PATTERN, url)
  if (typeof text !== 'string') throw badValue('ERR_INVALID_ARGUMENT', 'url', EXPECTED, url)
  if (PATH.test(text)) {
    if (hosts.length === 0) {
      throw badValue('ERR_INVALID_ARGUMENT', 'url', `${EXPECTED}; a path alone needs the option hosts`, url)
    }
    return hosts.flatMap((host) => resourcesAt(host, `http://${host}${text}`, text))
  }
  const raw = WHOLE.exec(text)
  const { host } = raw && URL.canParse(text) ? new URL(text) : { host: '' }
  if (!raw || host === '') throw badValue('ERR_INVALID_ARGUMENT', 'url', EXPECTED, url)
  return resourcesAt(host, text, raw[1] ?? '')
}

const EXPECTED = 'an http or https URL, such as https://shop.example/products/7'
const NO_PATTERN =
  'the URL of one page (there are no patterns: give pages tags and purge these, or clear the namespace; new URL(…) may have a *)'
const PATH = /^\/(?!\/)/
/** Without a fragment, which is never sent. */
const WHOLE = /^https?:\/\/[^/?#]+([^#]*)/i

function resourcesAt(host: string, url: string, raw: string): readonly Asked[] {
  const { pathname, search } = new URL(url)
  const written = raw.replace(/#.*$/s, '')
  const spellings = [`${pathname}${search}`, written.startsWith('/') ? written : `/${written}`]
  const targets = new Set([...spellings, ...spellings.map(withNormalEncoding)])
  return ['http', 'https'].flatMap((scheme) => [...targets].map((target) => ({ scheme, host, target })))
}
