import { checkTags } from '../entry/key.ts'
import { badValue } from '../errors.ts'
import {
  oneOf,
  readDuration,
  readFiniteDuration,
  readFlag,
  readInteger,
  readNumber,
  readOptions,
  readWord,
} from '../options.ts'
import { readCompress } from './coding-options.ts'
import { ALL_COUNT, AS_IT_CAME, readNormalize, readQuery } from './key-options.ts'
import { readFieldNames, readHosts, readTargeted } from './name-options.ts'
import { readNegativeTtl } from './negative-ttl.ts'
import type { OptionTable } from '../options.ts'
import type { NormalizeSettings, QuerySettings } from './key-options.ts'
import type { CompressSettings } from './coding-options.ts'
import type { AuditRule, CacheStatusRule, ClientDirectives, CookieRule, HttpCacheOptions, Profile } from './options.ts'
import type { SetCookieRule, TagFieldRule, TagsOption, ZeroLifetimeRule } from './options.ts'

/** {@link HttpCacheOptions} as the code reads them. */
export interface HttpSettings {
  readonly profile: Profile
  /** `undefined`: no default lifetime. */
  readonly ttlMs: number | undefined
  /** Default lifetimes of failures, by status. */
  readonly negativeTtlMs: ReadonlyMap<number, number>
  /** 0: none. */
  readonly heuristic: number
  /** The default of `stale-while-revalidate`; see `staleRulesOf`. */
  readonly staleMs: number
  /** The default of `stale-if-error`; `undefined`: as `staleMs`. */
  readonly staleIfErrorMs: number | undefined
  /** How long a response with a validator is retained past its lifetime; see `retentionOf`. */
  readonly keepMs: number
  readonly hardTimeoutMs: number
  /** `undefined`: as `hardTimeoutMs`. */
  readonly waitTimeoutMs: number | undefined
  readonly maxBodyBytes: number
  readonly clientDirectives: ClientDirectives
  readonly cookies: CookieRule
  readonly setCookie: SetCookieRule
  readonly storePost: boolean
  readonly zeroLifetime: ZeroLifetimeRule
  /** Names in lower case. */
  readonly targeted: readonly string[]
  readonly tags: TagsOption
  readonly tagFields: TagFieldRule
  readonly audit: AuditRule
  /** Names in lower case. */
  readonly harmless: readonly string[]
  /** In lower case. */
  readonly hosts: readonly string[]
  readonly query: QuerySettings
  readonly maxQueryParameters: number
  readonly maxTargetLength: number
  /** Names in lower case. */
  readonly keyHeaders: readonly string[]
  readonly normalize: NormalizeSettings
  /** `undefined`: responses are sent in the coding in which they are stored. */
  readonly compress: CompressSettings | undefined
  /** `undefined`: pages are stored at first sight. */
  readonly secondSightMs: number | undefined
  readonly cacheStatus: CacheStatusRule
}

const SAFE: HttpSettings = {
  profile: 'safe',
  ttlMs: undefined,
  negativeTtlMs: new Map(),
  heuristic: 0,
  staleMs: 0,
  staleIfErrorMs: undefined,
  keepMs: 600_000,
  hardTimeoutMs: 30_000,
  waitTimeoutMs: undefined,
  maxBodyBytes: 2 ** 20,
  clientDirectives: 'ignore',
  cookies: 'explicit',
  setCookie: 'refuse',
  storePost: false,
  zeroLifetime: 'refuse',
  targeted: ['tiercache-control', 'cdn-cache-control'],
  tags: [],
  tagFields: 'keep',
  audit: 'guard',
  harmless: [],
  hosts: [],
  query: ALL_COUNT,
  maxQueryParameters: 100,
  maxTargetLength: 4096,
  keyHeaders: [],
  normalize: AS_IT_CAME,
  compress: undefined,
  secondSightMs: undefined,
  cacheStatus: 'brief',
}

const CONFORMANCE: HttpSettings = {
  ...SAFE,
  profile: 'conformance',
  heuristic: 0.1,
  clientDirectives: 'obey',
  setCookie: 'replay',
  storePost: true,
  zeroLifetime: 'store',
  audit: 'warn',
}

/** An entry is 16 MiB at most, head included. */
const MOST_BODY_BYTES = 15 * 2 ** 20

const HTTP: OptionTable<HttpCacheOptions, HttpSettings> = {
  profile: { setting: 'profile', read: readProfile },
  ttl: { setting: 'ttlMs', read: readDuration },
  negativeTtl: { setting: 'negativeTtlMs', read: readNegativeTtl },
  heuristic: { setting: 'heuristic', read: (name, value) => readNumber(name, value, 0, 1) },
  stale: { setting: 'staleMs', read: readDuration },
  staleIfError: { setting: 'staleIfErrorMs', read: readDuration },
  keep: { setting: 'keepMs', read: readDuration },
  hardTimeout: { setting: 'hardTimeoutMs', read: readFiniteDuration },
  waitTimeout: { setting: 'waitTimeoutMs', read: (name, value) => readFiniteDuration(name, value, 0) },
  maxBodyBytes: { setting: 'maxBodyBytes', read: (name, value) => readInteger(name, value, 0, MOST_BODY_BYTES) },
  clientDirectives: { setting: 'clientDirectives', read: oneOf('ignore', 'validate', 'obey') },
  cookies: { setting: 'cookies', read: oneOf('explicit', 'ignore', 'bypass') },
  setCookie: { setting: 'setCookie', read: oneOf('refuse', 'strip', 'replay') },
  storePost: { setting: 'storePost', read: readFlag },
  zeroLifetime: { setting: 'zeroLifetime', read: oneOf('refuse', 'store') },
  targeted: { setting: 'targeted', read: readTargeted },
  tags: { setting: 'tags', read: readTagsOption },
  tagFields: { setting: 'tagFields', read: oneOf('keep', 'strip') },
  audit: { setting: 'audit', read: oneOf('guard', 'strict', 'vary', 'warn') },
  harmless: { setting: 'harmless', read: readFieldNames },
  hosts: { setting: 'hosts', read: readHosts },
  query: { setting: 'query', read: readQuery },
  maxQueryParameters: { setting: 'maxQueryParameters', read: (name, value) => readInteger(name, value, 0, 1000) },
  maxTargetLength: { setting: 'maxTargetLength', read: (name, value) => readInteger(name, value, 1, 65_536) },
  keyHeaders: { setting: 'keyHeaders', read: readFieldNames },
  normalize: { setting: 'normalize', read: readNormalize },
  compress: { setting: 'compress', read: readCompress },
  secondSight: { setting: 'secondSightMs', read: readFiniteDuration },
  cacheStatus: { setting: 'cacheStatus', read: oneOf('brief', 'debug') },
}

/** The names of the options that every response cache takes. */
export const HTTP_NAMES: readonly string[] = Object.keys(HTTP)

/** Reads the options of `owner` (`httpCache`, `accelerate`, …), over those of their profile. */
export function readHttpOptions(options: HttpCacheOptions | undefined, owner = 'httpCache'): HttpSettings {
  const profile = readProfile('profile', options?.profile ?? 'safe')
  return Object.freeze({ ...readOptions(owner, options, HTTP, profile === 'safe' ? SAFE : CONFORMANCE) })
}

function readProfile(name: string, value: unknown): Profile {
  return readWord(name, value, ['safe', 'conformance'])
}

function readTagsOption(name: string, value: unknown): TagsOption {
  if (typeof value === 'function') return value as TagsOption
  if (!Array.isArray(value)) throw badValue('ERR_INVALID_OPTION', name, 'a list of tags, or a function', value)
  return checkTags(value)
}
