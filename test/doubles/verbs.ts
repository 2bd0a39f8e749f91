import type { Cache, CreateCacheOptions, ErrorCode } from '../../src/index.ts'
import { createCache } from '../../src/index.ts'

/** What an option or argument may be: what it takes, and what is said of anything else. */
export interface Kind {
  /** As the page of options says it. */
  readonly type: string
  /** What the message says behind `expected`. */
  readonly expected: RegExp
  /** By default `ERR_INVALID_OPTION`. */
  readonly code?: ErrorCode
  /** Whether a value is one of these. Of {@link nonsense} it has to tell. */
  readonly takes: (value: unknown) => boolean
  readonly valid: readonly unknown[]
  readonly invalid?: readonly unknown[]
  /** The name in messages, where that is another one. */
  readonly label?: string
  /** What comes is never shown. */
  readonly isSecret?: boolean
}

/** What is tried with every option and argument that does not take it. */
export const nonsense: readonly unknown[] = [
  null,
  true,
  false,
  0,
  0.5,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  1n,
  '',
  '5 m',
  'nonsense',
  '\ud800',
  Symbol('nonsense'),
  [],
  ['nonsense'],
  {},
  { nonsense: 1 },
  () => {},
  new Date(0),
  new Map(),
]

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const isWithin = (least: number, most: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

const duration: Kind = {
  type: 'Duration',
  expected: /^milliseconds >= 0, a text like '5m' \(ms, s, m, h, d\), \{ seconds, minutes, hours, days \} or 'never'/,
  takes: (value) => isNumber(value) && (value as number) >= 0,
  valid: [0, 1500, '1.5s', '5m', { minutes: 1, seconds: 30 }, 'never'],
  invalid: ['-5m', '5', { weeks: 1 }, { hours: -1 }],
}

function finite(least: number): Kind {
  return {
    type: 'Duration',
    expected: new RegExp(`^a duration of at least ${least} ms, with an end`),
    takes: (value) => isNumber(value) && (value as number) >= least,
    valid: [least, '5s', { seconds: 3 }],
    invalid: ['never', least - 0.5, '-5m'],
  }
}

function integer(least: number, most = Number.MAX_SAFE_INTEGER): Kind {
  return {
    type: 'number',
    expected: most === Number.MAX_SAFE_INTEGER ? /^a whole number >= \d+/ : /^a whole number from \d+ to \d+/,
    takes: isWithin(least, most),
    valid: [least, least + 1],
    invalid: [least - 1, least + 0.5, String(least), ...(most === Number.MAX_SAFE_INTEGER ? [] : [most + 1])],
  }
}

function words(...known: readonly string[]): Kind {
  const type = known.map((word) => `'${word}'`)
  return {
    type: type.join(', '),
    expected: new RegExp(`^${type.join(', ')}`),
    takes: (value) => known.includes(value as string),
    valid: known,
    invalid: [known[0]?.toUpperCase(), 'toString', '__proto__'],
  }
}

const flag: Kind = {
  type: 'boolean',
  expected: /^true or false/,
  takes: (value) => typeof value === 'boolean',
  valid: [true, false],
  invalid: ['true', 1],
}

const group = (expected: RegExp, type: string, ...also: readonly unknown[]): Kind => ({
  type,
  expected,
  takes: (value) => isObject(value) || also.includes(value),
  valid: [{}, ...also],
})

const function_: Kind = {
  type: 'function',
  expected: /^a function/,
  code: 'ERR_INVALID_ARGUMENT',
  takes: (value) => typeof value === 'function',
  valid: [() => 1],
  invalid: [undefined],
}

const tags: Kind = {
  type: 'array of string',
  expected: /^(an array of texts|a well-formed text of 1 to 512 bytes of UTF-8|at most 64)/,
  code: 'ERR_INVALID_TAG',
  takes: (value) => Array.isArray(value),
  valid: [[], ['a', 'b'], ['a', 'a']],
  invalid: [[''], ['\ud800'], [5], ['x'.repeat(513)], Array.from({ length: 65 }, (_, n) => `t${n}`), new Set(['a'])],
  label: 'tags?',
}

const tagsOrFunction: Kind = {
  ...tags,
  type: 'array of string, or function',
  takes: (value) => tags.takes(value) || typeof value === 'function',
}

const schema = { '~standard': { version: 1, vendor: 'a test', validate: (value: unknown) => ({ value }) } }

/** By the name of the option, or by its place and name where one name stands for two things. */
export const kinds: Readonly<Record<string, Kind>> = {
  redis: {
    type: 'string, object or instance',
    expected: /^/,
    // What is told of each of its forms is tested in test/redis/source.test.ts and options.test.ts.
    takes: (value) => isObject(value) || typeof value === 'string',
    valid: [],
  },
  prefix: {
    type: 'string',
    expected: /^1 to 64 characters of \[A-Za-z0-9_\.-\]/,
    code: 'ERR_INVALID_NAMESPACE',
    takes: (value) => value === 'nonsense',
    valid: ['shop', 'a.b_c-1'],
    invalid: ['a b', 'x'.repeat(65), 'a:b'],
  },
  l1: group(/^(false, or \{ maxEntries, maxBytes \}|an object of options)/, 'object or false', false),
  maxEntries: integer(1, 2 ** 31),
  maxBytes: integer(1),
  maxStaleness: finite(100),
  commandTimeout: finite(1),
  lease: finite(100),
  onRedisDown: words('load', 'serve-l1'),
  clusterBuckets: integer(1, 1024),
  maxEntryBytes: integer(1, 512 * 1024 * 1024),
  codec: { ...group(/^(\{ compression, encryption \}|an object of options)/, 'object'), isSecret: true },
  compression: group(
    /^(true, false, or \{ threshold, algorithm \}|an object of options)/,
    'boolean or object',
    true,
    false,
  ),
  threshold: integer(1),
  algorithm: { ...words('deflate', 'zstd'), valid: ['deflate'] },
  encryption: {
    ...group(/^(\{ keys \}|an object of options|an array of one key or more)/, 'object'),
    takes: (value) => isObject(value) && Object.keys(value as object).length > 0,
    label: 'codec.encryption(.keys)?',
    valid: [{ keys: ['0'.repeat(64)] }],
    isSecret: true,
  },
  'codec.encryption.keys': {
    type: 'array of string or Uint8Array',
    expected: /^(an array of one key or more|32 bytes, or these in base64 or as 64 hexadecimal digits)/,
    takes: () => false,
    valid: [['0'.repeat(64)], [Buffer.alloc(32)]],
    invalid: [['0'.repeat(63)], [Buffer.alloc(31)], [null]],
    label: 'codec\\.encryption\\.keys(\\[0\\])?',
    isSecret: true,
  },
  namespace: {
    type: 'string',
    expected: /^1 to 64 characters of \[A-Za-z0-9_\.-\], parts between dots not empty, not '_'/,
    code: 'ERR_INVALID_NAMESPACE',
    takes: (value) => value === 'nonsense',
    valid: ['shop', 'shop.users'],
    invalid: ['_', 'a..b', 'a b', 'x'.repeat(65)],
  },
  defaults: group(/^an object of options/, 'object'),
  ttl: duration,
  l1Ttl: duration,
  stale: duration,
  negativeTtl: duration,
  softTimeout: duration,
  hardTimeout: duration,
  waitTimeout: duration,
  jitter: {
    type: 'number',
    expected: /^a number from 0 to 1/,
    takes: (value) => isNumber(value) && (value as number) >= 0 && (value as number) <= 1,
    valid: [0, 0.05, 1],
    invalid: [1.1, '0.5', -0.1],
  },
  tags,
  'define.tags': tagsOrFunction,
  'wrap.tags': tagsOrFunction,
  isolation: words('frozen', 'copy', 'reference'),
  schema: {
    type: 'Standard Schema or false',
    expected: /^a Standard Schema \(with a '~standard' of version 1\)(, or false)?/,
    takes: (value) => value === false,
    valid: [schema, false],
    invalid: [{ '~standard': { version: 2, validate: () => {} } }, { '~standard': { version: 1 } }],
  },
  tiers: words('all', 'l1'),
  refreshAhead: {
    type: "number, 'auto' or false",
    expected: /^a fraction between 0 and 1, 'auto' or false/,
    takes: (value) => value === false || value === 0.5,
    valid: [0.8, 'auto', false],
    invalid: [1, 'Auto', '0.8'],
  },
  name: {
    type: 'string',
    expected: /^1 to 64 characters of \[A-Za-z0-9_\.-\]/,
    code: 'ERR_INVALID_NAMESPACE',
    takes: (value) => value === 'nonsense',
    valid: ['users'],
    invalid: ['_', 'a b'],
    label: 'namespace',
  },
  'wrap.name': {
    type: 'string',
    expected: /^(1 to 64 characters of \[A-Za-z0-9_\.-\]|a name, since the function has none)/,
    code: 'ERR_INVALID_NAMESPACE',
    takes: (value) => value === 'nonsense',
    valid: ['users'],
    label: 'name(space)?',
  },
  key: { ...function_, code: 'ERR_INVALID_OPTION', invalid: [] },
  load: { ...function_, code: 'ERR_INVALID_OPTION', invalid: [] },
  loadMany: { ...function_, code: 'ERR_INVALID_OPTION', invalid: [] },
  requireAck: flag,
  schemaVersion: {
    type: 'string or number',
    expected: /^a whole number, or 1 to 64 of \[A-Za-z0-9_\.-\]/,
    takes: (value) => value === 'nonsense' || Number.isSafeInteger(value),
    valid: [7, 'v7', '2026-01-01'],
    invalid: ['x'.repeat(65), 'a b'],
  },
  version: {
    type: 'number',
    expected: /^a finite number/,
    takes: isNumber,
    valid: [0, -1, 1.5, Date.now()],
    invalid: ['1', new Date(1)],
  },
  signal: {
    type: 'AbortSignal',
    expected: /^an AbortSignal/,
    takes: () => false,
    valid: [new AbortController().signal],
    invalid: [new AbortController(), { aborted: false }],
  },
  'keys.prefix': {
    type: 'string',
    expected: /^a text without lone surrogates/,
    takes: (value) => typeof value === 'string' && value.isWellFormed(),
    valid: ['', 'user:', '*'],
  },

  '(key)': {
    type: 'string',
    expected: /^(a string that is not empty|at most 8192 bytes of UTF-8|well-formed Unicode \(no lone surrogates\))/,
    code: 'ERR_INVALID_KEY',
    takes: (value) => typeof value === 'string' && value !== '' && value.isWellFormed(),
    valid: ['k', 'ü', ' '],
    invalid: [undefined, 'x'.repeat(8193), 'ü'.repeat(4097)],
    label: 'key',
  },
  '(value)': { type: 'any', expected: /^/, takes: () => true, valid: [null, 1, { a: [1] }] },
  '(loader)': { ...function_, label: 'loader' },
  '(listener)': { ...function_, label: 'listener' },
  '(ttl)': { ...duration, label: 'ttl', valid: [...duration.valid, undefined] },
  '(by)': {
    type: 'number',
    expected: /^an integer/,
    code: 'ERR_INVALID_ARGUMENT',
    takes: Number.isSafeInteger,
    valid: [undefined, 1, -1, 0],
    invalid: [1.5, '1'],
    label: 'by',
  },
  '(tag)': {
    type: 'string',
    expected: /^a well-formed text of 1 to 512 bytes of UTF-8/,
    code: 'ERR_INVALID_TAG',
    takes: (value) => typeof value === 'string' && value !== '' && value.isWellFormed(),
    valid: ['t'],
    invalid: [undefined, 'x'.repeat(513)],
    label: 'tag',
  },
  '(namespace)': {
    type: 'string',
    expected: /^1 to 64 characters of \[A-Za-z0-9_\.-\], parts between dots not empty, not '_'/,
    code: 'ERR_INVALID_NAMESPACE',
    takes: (value) => value === 'nonsense',
    valid: ['users', 'shop.users'],
    invalid: [undefined, '_', 'a..b', '.a', 'a b', 'x'.repeat(65)],
    label: 'namespace',
  },
  '(keys)': {
    type: 'Iterable of string',
    expected: /^an array, a Set or another iterable of keys/,
    code: 'ERR_INVALID_ARGUMENT',
    takes: (value) => Array.isArray(value) || value instanceof Map,
    valid: [['a', 'b'], new Set(['a']), []],
    invalid: [undefined, 'abc'],
    label: 'keys',
  },
  '(entries)': {
    type: 'Map, pairs or object',
    expected: /^/,
    code: 'ERR_INVALID_ARGUMENT',
    takes: (value) => (isObject(value) && !(value instanceof Date)) || (Array.isArray(value) && value.length === 0),
    valid: [new Map([['a', 1]]), [['a', 1]], { a: 1 }, []],
    invalid: [undefined, 'abc', [['a']]],
    label: 'entries',
  },
  '(many loader)': { ...function_, valid: [() => new Map()], label: 'loader' },
  '(work)': { ...function_, label: 'work' },
  '(function)': { ...function_, valid: [function computed() {}], label: 'fn' },
  '(event)': { type: 'string', expected: /^/, takes: () => true, valid: ['warning'] },
}

/** The methods of a cache that users call, each with its arguments; `options` are read by name. */
export const verbs: Readonly<Record<string, readonly string[]>> = {
  getOrSet: ['(key)', '(loader)', 'options'],
  getOrSetEntry: ['(key)', '(loader)', 'options'],
  get: ['(key)'],
  peek: ['(key)'],
  getEntry: ['(key)'],
  has: ['(key)'],
  set: ['(key)', '(value)', 'options'],
  delete: ['(key)', 'options'],
  expire: ['(key)', 'options'],
  invalidateTags: ['(tag)'],
  expireTags: ['(tag)'],
  touch: ['(key)', '(ttl)', 'options'],
  increment: ['(key)', '(by)', 'options'],
  ttl: ['(key)'],
  inspect: ['(key)'],
  health: [],
  ready: [],
  getMany: ['(keys)'],
  setMany: ['(entries)', 'options'],
  deleteMany: ['(keys)', 'options'],
  getOrSetMany: ['(keys)', '(many loader)', 'options'],
  transaction: ['(work)'],
  define: ['options'],
  wrap: ['(function)', 'options'],
  clear: ['options'],
  keys: ['options'],
  namespace: ['(namespace)', 'options'],
  on: ['(event)', '(listener)'],
  gauges: [],
  stats: [],
  close: [],
}

/** The names of all methods of an object, also of those that its class inherits. */
export function methodsOf(object: object): readonly string[] {
  const names = new Set<string>()
  for (let each = Object.getPrototypeOf(object); each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) if (name !== 'constructor') names.add(name)
  }
  return [...names]
}

/** Those that answer no promise: they throw. */
export const synchronous: readonly string[] = [
  'peek',
  'keys',
  'namespace',
  'on',
  'gauges',
  'stats',
  'health',
  'define',
  'wrap',
]

/** The verb that an error of options names, where that is another one. */
const owners: Readonly<Record<string, string>> = { getOrSetEntry: 'getOrSet' }

/** What has to be among the options of a verb. */
const needed: Readonly<Record<string, object>> = {
  define: { name: 'defined', load: () => 1 },
  wrap: { name: 'wrapped' },
}

/** Where options are given. */
export interface Place {
  readonly name: string
  /** What an error of the options as a whole names. */
  readonly owner: string
  /** What stands before the name of an option in messages. */
  readonly prefix: string
  /** The names of those that have to be given. */
  readonly required?: readonly string[]
  give(options: unknown): unknown
}

let keys = 0

/** Arguments that a verb takes, with another one in place of one of them. Keys are new: a hit reads no options. */
export function call(cache: Cache, verb: string, position?: number, argument?: unknown): unknown {
  const given = (verbs[verb] ?? []).map((kind, index) => {
    if (index === position) return argument
    return kind === '(key)' ? `key ${keys++}` : kinds[kind]?.valid[0]
  })
  const method = (cache as unknown as Readonly<Record<string, (...given: unknown[]) => unknown>>)[verb]
  return method?.apply(cache, given)
}

const inCreateCache: readonly Place[] = [
  { name: 'createCache', owner: 'createCache', prefix: '', give: (options) => make(options) },
  { name: 'l1', owner: 'l1', prefix: 'l1.', give: (l1) => make({ l1 }) },
  { name: 'codec', owner: 'codec', prefix: 'codec.', give: (codec) => make({ codec }) },
  {
    name: 'codec.compression',
    owner: 'codec.compression',
    prefix: 'codec.compression.',
    give: (compression) => make({ codec: { compression } }),
  },
  {
    name: 'codec.encryption',
    owner: 'codec.encryption',
    prefix: 'codec.encryption.',
    required: ['keys'],
    give: (encryption) => make({ codec: { encryption } }),
  },
  { name: 'defaults', owner: 'defaults', prefix: '', give: (defaults) => make({ defaults }) },
]

function make(options: unknown): Cache {
  return createCache(options as CreateCacheOptions)
}

/** Every place where options are given: the parts of those of `createCache`, and each verb that has some. */
export function places(cache: Cache): readonly Place[] {
  const ofVerbs = Object.entries(verbs).filter(([, given]) => given.includes('options'))
  return [
    ...inCreateCache,
    ...ofVerbs.map(([name, given]) => ({
      name,
      owner: owners[name] ?? name,
      prefix: '',
      required: Object.keys(needed[name] ?? {}),
      give: (options: unknown) =>
        call(
          // A name is of one function only.
          name in needed ? cache.namespace(`options${keys++}`) : cache,
          name,
          given.indexOf('options'),
          isObject(options) ? { ...needed[name], ...(options as object) } : options,
        ),
    })),
  ]
}

/** The names of the options of a place, as the error for another one lists them. */
export async function namesOf(place: Place): Promise<readonly string[]> {
  const refused = await failureOf(() => place.give({ '(none)': 1 }))
  const [, names] = /expected one of (.*)$/.exec(String(refused)) ?? []
  if (names === undefined) throw new Error(`${place.name} took an option that does not exist`)
  return names.split(', ')
}

/** What an option of a place may be. */
export function kindOf(place: Place, name: string): Kind {
  const kind = kinds[`${place.name}.${name}`] ?? kinds[name]
  if (!kind) throw new Error(`test/doubles/verbs.ts does not say what the option ${name} (${place.name}) may be`)
  return kind
}

/** What a call threw or rejected with; `undefined` where it did neither. */
export async function failureOf(act: () => unknown): Promise<unknown> {
  try {
    await act()
  } catch (error) {
    return error
  }
  return undefined
}
