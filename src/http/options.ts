import type { Duration } from '../options.ts'
import type { Normalizer, QueryOptions } from './key-options.ts'
import type { CompressOptions } from './coding-options.ts'
import type { HttpRequest } from './message.ts'
import type { NegativeTtl } from './negative-ttl.ts'

/**
 * How the response cache treats requests and responses.
 *
 * @example
 * app.use(httpCache(cache, { ttl: '1m', stale: '10m' }))
 */
export interface HttpCacheOptions {
  /**
   * Where the other options start from; each of them can be given beside it.
   *
   * - `safe` (default): less than HTTP allows, where that protects users from applications that say too little.
   * - `conformance`: all that HTTP allows a shared cache. `clientDirectives: 'obey'`, `heuristic: 0.1`,
   *   `setCookie: 'replay'`, `storePost: true`, `zeroLifetime: 'store'`, `audit: 'warn'`.
   */
  readonly profile?: Profile | undefined
  /**
   * How long a response is fresh that says nothing about it (no `max-age`, `s-maxage` or `Expires`).
   * Default: none, so that only responses with a lifetime of their own are stored. Applies to the statuses 200, 203,
   * 204, 300, 301 and 308. `res.cache.ttl()` overrides it, `no-store` and `private` bar it.
   */
  readonly ttl?: Duration | undefined
  /**
   * How long failures are kept that say nothing about it: one duration for the statuses 404, 405, 410, 414 and 501, or a
   * duration for each status, as in `{ 404: '10s', 503: '1s' }`. Default: none, so that they are not stored.
   */
  readonly negativeTtl?: NegativeTtl | undefined
  /**
   * The fraction of the time since its `Last-Modified` for which a response is fresh that says nothing about it, a day
   * at most (RFC 9111, section 4.2.2). `ttl` counts before it. Default 0: there is no guessing; in the conformance
   * profile 0.1.
   */
  readonly heuristic?: number | undefined
  /**
   * How long past its lifetime a response may be served while a newer one is made behind it, if it does not say so
   * itself (`stale-while-revalidate`). `must-revalidate`, `proxy-revalidate`, `s-maxage`, `no-cache` and `max-age=0` bar it.
   * Default 0: not at all.
   */
  readonly stale?: Duration | undefined
  /**
   * How long past its lifetime a response may be served in place of a 500, 502, 503 or 504, or of a handler that throws,
   * if it does not say so itself (`stale-if-error`). Barred as `stale` is. Default: as `stale`.
   */
  readonly staleIfError?: Duration | undefined
  /**
   * How long past its lifetime a response with `ETag` or `Last-Modified` is kept, so that the application can confirm it
   * with a 304 in place of sending it again. It is not served without that. Default `'10m'`.
   */
  readonly keep?: Duration | undefined
  /**
   * How long after its request a response may come, head first, and still be stored; those who wait for it are let go then.
   * Its own client gets it whenever it comes. Must have an end. Default `'30s'`.
   */
  readonly hardTimeout?: Duration | undefined
  /**
   * How long a request waits for the head of a response that another one has the application make, here or in another
   * process. After that it goes to the application itself. Must have an end; 0: it does not wait. Default: as `hardTimeout`.
   */
  readonly waitTimeout?: Duration | undefined
  /** The largest body that is stored, in bytes; a larger one streams on uncached. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /**
   * What `Cache-Control` of a request may ask for. `no-store` and `only-if-cached` are always obeyed.
   *
   * - `ignore` (default): nothing else, so that no client can drive every request to the application.
   * - `validate`: `no-cache` and `max-age=0` (a browser's reload) are answered by the application.
   * - `obey` (conformance profile): also any `max-age`, `min-fresh`, `max-stale` and `stale-if-error`.
   */
  readonly clientDirectives?: ClientDirectives | undefined
  /**
   * What a request with `Cookie` may do.
   *
   * - `explicit` (default): it is answered from what is stored; its own response is stored only if it says `public`
   *   or `s-maxage`, or has a targeted field.
   * - `ignore`: the field is as if absent. Only for routes whose responses never depend on a cookie.
   * - `bypass`: such a request neither reads nor fills the cache.
   */
  readonly cookies?: CookieRule | undefined
  /**
   * What becomes of a response with `Set-Cookie`.
   *
   * - `refuse` (default): it is not stored.
   * - `strip`: it is stored without the field, which only its own client gets.
   * - `replay` (conformance profile): it is stored with the field, which then goes to all (RFC 9111, section 7.3).
   */
  readonly setCookie?: SetCookieRule | undefined
  /**
   * Whether the response to a `POST` answers later requests with `GET`, if it has a lifetime of its own and a
   * `Content-Location` that names its own URL (RFC 9110, section 9.3.3). Default `false`; in the conformance profile `true`.
   */
  readonly storePost?: boolean | undefined
  /**
   * What becomes of a response that says itself that it is not fresh for a moment (`max-age=0`, `s-maxage=0`, `no-cache`, an
   * `Expires` in the past), and not that it may be served stale. Express says so of each file that it sends (`res.sendFile`,
   * `express.static`), whoever may see it.
   *
   * - `refuse` (default): it is not stored.
   * - `store` (conformance profile): it is stored for the option `keep` if it has an `ETag` or `Last-Modified`, and the
   *   application confirms it for each request. Pages of two users that have one tag may be taken for one another then.
   */
  readonly zeroLifetime?: ZeroLifetimeRule | undefined
  /**
   * The response fields that speak to this cache in place of `Cache-Control` and `Expires` (RFC 9213), the most special
   * first. They are taken out of responses on their way to the client: leave `CDN-Cache-Control` out of the list where
   * a CDN stands in front. Default `['Tiercache-Control', 'CDN-Cache-Control']`.
   */
  readonly targeted?: readonly string[] | undefined
  /**
   * Tags of every response that is stored: a list, or a function of the request. `cache.invalidateTags` and `expireTags`
   * reach them. Added to those of `res.cache.tags()`, `Surrogate-Key` and `Cache-Tag`. A function that throws, or answers what
   * are no tags, has the response not stored. Default: none.
   *
   * @example
   * app.use(httpCache(cache, { tags: (request) => [`section:${request.target.split('/')[1]}`] }))
   */
  readonly tags?: TagsOption | undefined
  /**
   * What becomes of `Surrogate-Key` and `Cache-Tag` on the way to the client: they are left there for caches in front
   * (`keep`, the default), or taken out (`strip`).
   */
  readonly tagFields?: TagFieldRule | undefined
  /**
   * What becomes of a response whose handler read a request field that is neither in the key nor in `Vary`, so that the next
   * client would get what was made of another one's.
   *
   * - `guard` (default): it is not stored if the request carried that field, and the field's name says who asks or what a proxy
   *   has changed (`X-User-Id`, `X-Api-Key`, `X-Forwarded-Prefix`), or its value is over 1 kB long; nor, whatever the name, if the response does not say itself
   *   for how long it is fresh. Fields that browsers and proxies send to all (`User-Agent`, `Accept-Language`, `X-Forwarded-For`)
   *   do not count. Of what does not, a warning tells in development.
   * - `strict`: it is not stored, whatever the field, also when the request did not carry it.
   * - `vary`: the field is added to `Vary`: one response for each of its values.
   * - `warn` (conformance profile): it is stored; a warning tells of it in development.
   *
   * Under all of them it is not stored if its handler read what names another host or scheme than the key has.
   */
  readonly audit?: AuditRule | undefined
  /**
   * Request fields that handlers may read though they are not in the key: no response depends on them, as on an id that is
   * only logged. Default: none.
   */
  readonly harmless?: readonly string[] | undefined
  /**
   * The hosts, with their ports if these are not the usual ones, whose pages `purge('/path')` is about. A whole URL names its
   * own. Default: none.
   */
  readonly hosts?: readonly string[] | undefined
  /**
   * Which parameters of the query tell pages apart, and whether their order does. A query with `;` or `#`, and parameters
   * whose names have brackets or are malformed, always count: not all parsers read these alike, and nobody may hide a
   * parameter in one that does not count. Default: all, as they came.
   *
   * @example
   * app.use(httpCache(cache, { query: { ignore: ['utm_*', 'gclid'], sort: true } }))
   */
  readonly query?: QueryOptions | undefined
  /** The most parameters of a query; with more, a request is passed on, uncached. Default 100. */
  readonly maxQueryParameters?: number | undefined
  /** The longest request target, in characters; with a longer one, a request is passed on, uncached. Default 4096. */
  readonly maxTargetLength?: number | undefined
  /**
   * Request fields that tell pages apart though their responses do not name them in `Vary`, as `['X-Tenant']`. A purge, and
   * a request with an unsafe method, reach the pages of all their values. Default: none.
   */
  readonly keyHeaders?: readonly string[] | undefined
  /**
   * By what the values of a request field are told apart, where a response names it in `Vary`: so that many values share a
   * few variants. While a response is made that may be stored, the application sees the field as the normaliser has it, `Cookie`
   * and `Authorization` aside. Default: each value, white space aside, has a variant of its own.
   *
   * @example
   * app.use(httpCache(cache, { normalize: { 'accept-encoding': 'coding', 'accept-language': ['en', 'de'] } }))
   */
  readonly normalize?: Readonly<Record<string, Normalizer>> | undefined
  /**
   * Stored responses are sent in the coding that a client wants (`Accept-Encoding`): made once, behind the requests, when
   * a page is asked for again, and kept in this process beside it. Only a whole 200 in no coding, of a type that gets smaller, and
   * not `no-transform`. Its `ETag` gets the coding's name at its end, and `Vary` names `Accept-Encoding`. Default `false`.
   */
  readonly compress?: boolean | CompressOptions | undefined
  /**
   * A page is stored only if it was asked for before, within about this time, in this process: so what is asked for once, such as
   * random queries, pushes nothing out. Default: none; pages are stored at first sight.
   */
  readonly secondSight?: Duration | undefined
  /**
   * What `Cache-Status` tells of a response. `debug`: also the `key` of its page (RFC 9211, section 2.7), its URL as far as that
   * counts and the `keyHeaders`; what `Vary` names is not in it. Default `brief`.
   */
  readonly cacheStatus?: CacheStatusRule | undefined
}

/** Tags for every response, or a way to tell them from its request. */
export type TagsOption = readonly string[] | ((request: HttpRequest) => readonly string[])
export type TagFieldRule = 'keep' | 'strip'
export type CacheStatusRule = 'brief' | 'debug'
export type AuditRule = 'guard' | 'strict' | 'vary' | 'warn'
export type Profile = 'safe' | 'conformance'
export type ClientDirectives = 'ignore' | 'validate' | 'obey'
export type CookieRule = 'explicit' | 'ignore' | 'bypass'
export type ZeroLifetimeRule = 'refuse' | 'store'
export type SetCookieRule = 'refuse' | 'strip' | 'replay'
