import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { describe, expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { checkSource } from '../../src/redis/source.ts'

const PASSWORD = 'hunter2-very-secret'
const EXPECTED = "expected a URL ('redis://host:6379', 'rediss://…')"
const ANY = `redis: ${EXPECTED}, options of ioredis, or an ioredis instance, got`

/** What a source is refused with. */
function refusalOf(source: unknown): { readonly code: string; readonly message: string } {
  try {
    checkSource(source)
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('it was not refused')
}

describe('what is no source', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['a number', 6379],
    ['an array', ['redis://localhost']],
    ['an empty array', []],
    ['an empty text', ''],
    ['another scheme', 'http://localhost'],
    ['another scheme with a password', `postgres://user:${PASSWORD}@localhost`],
    ['a URL with a blank', `redis://user:${PASSWORD} @localhost`],
    ['a URL with a port beyond all', `redis://user:${PASSWORD}@localhost:99999`],
    ['a URL without a host', 'redis://'],
    ['a function', () => 'redis://localhost'],
    ['a thing that is no options', new Map([['host', 'localhost']])],
    ['options of which ioredis knows none', { server: 'localhost', secret: PASSWORD }],
  ])('%s', (_name, source) => {
    const { code, message } = refusalOf(source)
    expect(code).toBe('ERR_INVALID_OPTION')
    expect(message).toContain(ANY)
    expect(message).not.toContain(PASSWORD)
  })

  test.each(['localhost:6379', 'localhost', '10.0.0.1:6379/2'])(
    'a URL without its beginning, %s: how it begins',
    (source) => {
      const [expected] = ANY.split(', got')
      expect(refusalOf(source).message).toBe(`${expected} (did you mean 'redis://${source}'?), got "${source}"`)
      expect(refusalOf({ url: source }).message).toContain(`(did you mean 'redis://${source}'?), got "${source}"`)
    },
  )

  test.each<[unknown, string]>([
    [5, '5'],
    ['', '""'],
    [`user:${PASSWORD}@localhost`, '"a URL that cannot be read"'],
  ])('an url that is none: %j', (url, got) => {
    expect(refusalOf({ url })).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: `redis.url: ${EXPECTED}, got ${got}`,
    })
  })

  test.each<[string, object]>([
    ['host', { host: 5 }],
    ['host', { host: '' }],
    ['port', { port: 'many' }],
    ['port', { port: 70_000 }],
    ['port', { port: 1.5 }],
    ['port', { port: '' }],
    ['port', { port: true }],
    ['db', { db: 'abc' }],
    ['db', { db: -1 }],
    ['db', { db: {} }],
    ['username', { username: 5 }],
    ['password', { password: { secret: PASSWORD } }],
    ['path', { path: 5 }],
    ['family', { family: '4' }],
    ['family', { family: 5 }],
    ['password', { cluster: [{ host: 'a' }], password: 5 }],
    ['password', { sentinels: [{ host: 'a' }], name: 'm', password: 5 }],
  ])('%s of another type: %j', (name, source) => {
    const { code, message } = refusalOf(source)
    expect(code).toBe('ERR_INVALID_OPTION')
    expect(message).toMatch(new RegExp(`^redis\\.${name}: expected .*, got `))
    expect(message).not.toContain(PASSWORD)
  })

  test('a password of another type is not shown', () => {
    expect(refusalOf({ password: 123_456 }).message).toBe('redis.password: expected a string, got "a number"')
  })

  test.each<[string, unknown]>([
    ['redis', 'redis://127.0.0.1:6379/abc'],
    ['redis', `redis://user:${PASSWORD}@127.0.0.1:6379/-1`],
    ['redis', 'redis://127.0.0.1:6379/1/2'],
    ['redis', 'redis://127.0.0.1:6379?db=abc'],
    ['redis.url', { url: 'redis://127.0.0.1:6379/abc' }],
    ['redis.cluster[0]', { cluster: ['redis://127.0.0.1:6379/abc'] }],
  ])('a database in the URL that is none: %s %j', (name, source) => {
    const { code, message } = refusalOf(source)
    expect(code).toBe('ERR_INVALID_OPTION')
    expect(message).toContain(`${name}: expected a URL that ends with the number of a database ('/2'), got`)
    expect(message).not.toContain(PASSWORD)
  })

  test.each<unknown>([
    'redis://127.0.0.1:6379/',
    'redis://127.0.0.1:6379/2',
    'redis://127.0.0.1:6379?db=2',
    { host: 'a', port: '6380', db: '2', family: 4, username: null, password: null, path: null },
    { host: null, port: undefined, family: 6, username: 'u', password: '' },
    { path: '/tmp/redis.sock', family: 0, db: 0 },
  ])('%j is taken', (source) => {
    expect(() => checkSource(source)).not.toThrow()
  })

  test('names that ioredis does not know are told', () => {
    expect(refusalOf({ server: 'localhost', secret: 1 }).message).toContain("got an object with 'server', 'secret'")
  })

  test.each([
    [{ hots: 'localhost' }, 'hots', 'host'],
    [{ port: 6380, hosst: 'localhost' }, 'hosst', 'host'],
    [{ port: 6380, pasword: PASSWORD }, 'pasword', 'password'],
    [{ host: 'localhost', Port: 6380 }, 'Port', 'port'],
  ])('a slip of the pen in %j', (source, name, meant) => {
    expect(refusalOf(source)).toMatchObject({
      code: 'ERR_UNKNOWN_OPTION',
      message: `redis: unknown option '${name}', expected '${meant}'`,
    })
  })

  test('options of the nodes of a Cluster where only an instance has them', () => {
    const source = { cluster: ['redis://localhost'], redisOptions: { password: PASSWORD } }
    const { code, message } = refusalOf(source)
    expect([code, message]).toEqual([
      'ERR_UNKNOWN_OPTION',
      "redis: unknown option 'redisOptions', expected what is in it beside 'cluster'",
    ])
  })

  test.each<[string, object, string]>([
    [
      'sentinels that are no list',
      { sentinels: `user:${PASSWORD}@localhost`, name: 'm' },
      'redis.sentinels: expected a list',
    ],
    ['no sentinel', { sentinels: [], name: 'm' }, 'redis.sentinels: expected a list of sentinels, { host, port }'],
    [
      'sentinels as texts',
      { sentinels: [{ host: 'a' }, 'b:26379'], name: 'm' },
      'redis.sentinels[1]: expected { host, port }',
    ],
    ['a sentinel without an address', { sentinels: [{}], name: 'm' }, 'redis.sentinels[0]: expected { host, port }'],
    ['a host that is none', { sentinels: [{ host: '' }], name: 'm' }, 'redis.sentinels[0]: expected { host, port }'],
    ['a port that is none', { sentinels: [{ host: 'a', port: 99999 }], name: 'm' }, 'redis.sentinels[0]: expected'],
    [
      'sentinels without a name',
      { sentinels: [{ host: 'a' }] },
      'redis.name: expected what the sentinels call the master',
    ],
    [
      'sentinels with an empty name',
      { sentinels: [{ host: 'a' }], name: '' },
      'redis.name: expected what the sentinels',
    ],
    ['no list of nodes', { cluster: 'redis://a' }, 'redis.cluster: expected a list of nodes'],
    ['no node', { cluster: [] }, 'redis.cluster: expected a list of nodes'],
    ['a node that is no URL', { cluster: [`u:${PASSWORD}@a`] }, 'redis.cluster[0]: expected a URL'],
    ['a node without an address', { cluster: [{ host: 'a' }, 7000] }, 'redis.cluster[1]: expected { host, port }'],
    ['nodes with and without TLS', { cluster: ['rediss://a', 'redis://b'] }, "all 'redis:' or all 'rediss:', got both"],
    [
      'a Cluster and sentinels',
      { cluster: [{ host: 'a' }], sentinels: [{ host: 'b' }] },
      'redis.sentinels: expected none beside',
    ],
    [
      'a Cluster and one server',
      { cluster: [{ host: 'a' }], url: `redis://:${PASSWORD}@b` },
      'redis.url: expected none beside',
    ],
    ['a Cluster and a host', { cluster: [{ host: 'a' }], host: 'b' }, 'redis.host: expected none beside'],
    ['a database of a Cluster', { cluster: [{ host: 'a' }], db: 2 }, 'redis.db: expected none or 0'],
  ])('%s', (_name, source, words) => {
    const { code, message } = refusalOf(source)
    expect(code).toBe('ERR_INVALID_OPTION')
    expect(message).toContain(words)
    expect(message).not.toContain(PASSWORD)
  })

  test('a keyPrefix, which is not called one of an instance', () => {
    expect(refusalOf({ keyPrefix: 'shop:' })).toMatchObject({
      code: 'ERR_KEY_PREFIX',
      message: 'redis.keyPrefix: expected none (use the option prefix of createCache)',
    })
    expect(refusalOf({ cluster: [{ host: 'a' }], keyPrefix: 'shop:' }).message).toContain(
      'redis.keyPrefix: expected none',
    )
  })

  test('createCache refuses them too', () => {
    expect(() => createCache({ redis: { hots: 'localhost' } as object })).toThrow("unknown option 'hots'")
  })
})

describe('an instance', () => {
  class RedisClient {
    readonly isOpen = true
    duplicate() {}
    connect() {}
    on() {}
    sendCommand() {}
  }
  const nothing = () => {}

  test.each<[string, object]>([
    ['a client of another package', new RedisClient()],
    ['one without callBuffer', { duplicate: nothing, call: nothing, status: 'ready' }],
    ['one without a status', { duplicate: nothing, call: nothing, callBuffer: nothing }],
    ['one whose status is no text', { duplicate: nothing, call: nothing, callBuffer: nothing, status: nothing }],
    ['one whose duplicate is no function', { duplicate: true, call: nothing, callBuffer: nothing, status: 'ready' }],
  ])('%s is refused', (_name, source) => {
    expect(refusalOf(source)).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('redis: expected an ioredis instance, got an object'),
    })
  })

  test('its class is told', () => {
    expect(refusalOf(new RedisClient()).message).toBe(
      'redis: expected an ioredis instance, got an object of class RedisClient',
    )
  })

  test.each([
    ['6', new Redis({ lazyConnect: true })],
    ['5', new Redis5({ lazyConnect: true })],
  ])('of ioredis %s is taken, and every option that it knows', (_line, own) => {
    expect(() => checkSource(own)).not.toThrow()
    for (const [name, value] of Object.entries(own.options)) expect(() => checkSource({ [name]: value })).not.toThrow()
    own.disconnect()
  })
})

test.each([
  'redis://localhost',
  'rediss://localhost:6380/3',
  'redis://:p@localhost',
  'redis://user:p%40ss@[::1]:6379/0',
])('%s is one', (url) => {
  expect(() => checkSource(url)).not.toThrow()
  expect(() => checkSource({ url })).not.toThrow()
})

test.each<object>([
  {},
  { host: 'localhost' },
  { path: '/run/redis.sock' },
  { sentinels: [{ host: 'localhost', port: 26379 }], name: 'main' },
  { db: 3 },
  { url: undefined, host: 'localhost' },
  { host: 'localhost', somethingNew: true },
  { host: 'localhost', sentinels: null, cluster: undefined },
  { sentinels: [{ host: 'localhost' }, { port: 26380 }], name: 'main' },
  {
    cluster: [
      { host: 'localhost', port: 7000 },
      { host: 'localhost', port: '7001' },
    ],
    db: 0,
    sentinels: null,
  },
  { cluster: ['rediss://localhost', { host: 'localhost' }] },
  { cluster: ['redis://localhost', 'redis://localhost:7001'], tls: {} },
])('options %j are taken', (options) => {
  expect(() => checkSource(options)).not.toThrow()
})
