import { definedOptions, readDuration, readInteger, readWord } from '../options.ts'
import type { Duration } from '../options.ts'

/**
 * How the response cache treats requests and responses.
 *
 * @example
 * app.use(httpCache(cache, { ttl: '1m' }))
 */
export interface HttpCacheOptions {
  /**
   * How long a response is fresh that says nothing about it (no `max-age`, `s-maxage` or `Expires`).
   * Default: none, so that only responses with a lifetime of their own are stored. Applies to the statuses 200, 203,
   * 204, 300, 301 and 308. `res.cache.ttl()` overrides it, `no-store` and `private` bar it.
   */
  readonly ttl?: Duration | undefined
  /** The largest body that is stored, in bytes; a larger one streams on uncached. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /**
   * What `Cache-Control` of a request may ask for. `no-store` and `only-if-cached` are always obeyed.
   *
   * - `ignore` (default): nothing else, so that no client can drive every request to the application.
   * - `validate`: `no-cache` and `max-age=0` (a browser's reload) are answered by the application.
   * - `obey`: also any `max-age` and `min-fresh`.
   */
  readonly clientDirectives?: ClientDirectives | undefined
  /**
   * What a request with `Cookie` may do.
   *
   * - `explicit` (default): it is answered from what is stored; its own response is stored only if it says `public`
   *   or `s-maxage`.
   * - `ignore`: the field is as if absent. Only for routes whose responses never depend on a cookie.
   * - `bypass`: such a request neither reads nor fills the cache.
   */
  readonly cookies?: CookieRule | undefined
}

export type ClientDirectives = 'ignore' | 'validate' | 'obey'
export type CookieRule = 'explicit' | 'ignore' | 'bypass'

/** {@link HttpCacheOptions} as the code reads them. */
export interface HttpSettings {
  /** `undefined`: no default lifetime. */
  readonly ttlMs: number | undefined
  readonly maxBodyBytes: number
  readonly clientDirectives: ClientDirectives
  readonly cookies: CookieRule
}

const NAMES = ['ttl', 'maxBodyBytes', 'clientDirectives', 'cookies'] as const satisfies (keyof HttpCacheOptions)[]
const DEFAULT_MAX_BODY_BYTES = 2 ** 20
/** An entry is 16 MiB at most, head included. */
const MOST_BODY_BYTES = 15 * 2 ** 20

export function readHttpOptions(options: HttpCacheOptions | undefined): HttpSettings {
  const given = definedOptions('httpCache', options, NAMES)
  return Object.freeze({
    ttlMs: given.ttl === undefined ? undefined : readDuration('httpCache.ttl', given.ttl),
    maxBodyBytes: readInteger(
      'httpCache.maxBodyBytes',
      given.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      0,
      MOST_BODY_BYTES,
    ),
    clientDirectives: readWord('httpCache.clientDirectives', given.clientDirectives ?? 'ignore', [
      'ignore',
      'validate',
      'obey',
    ]),
    cookies: readWord('httpCache.cookies', given.cookies ?? 'explicit', ['explicit', 'ignore', 'bypass']),
  })
}
