import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import * as header from '../src/entry/header.ts'
import { RedisNames } from '../src/entry/key.ts'
import { readNotice } from '../src/entry/notice.ts'
import { withOneRedis } from './doubles/caches.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/reference/redis-keys.md'), 'utf8')

const PARTS: Readonly<Record<string, string>> = {
  prefix: '[A-Za-z0-9_.-]{1,64}',
  bucket: '0|\\d+/\\d+',
  namespace: '[A-Za-z0-9_.-]{1,64}',
  key: '.+',
  tag: '.+',
  database: '\\d+',
}

/** The names that the page lists, with their types. */
const patterns = [...page.matchAll(/^\| `(<prefix>[^`]*)` \| (\w+) \|/gm)].map(([, pattern = '', type = '']) => ({
  pattern,
  type,
  matcher: matcherOf(pattern),
}))

function matcherOf(pattern: string): RegExp {
  const source = pattern.replace(/[{}]/g, '\\$&').replace(/<(\w+)>/g, (_, part: string) => `(?:${PARTS[part]})`)
  return new RegExp(`^${source}$`, 's')
}

function filled(pattern: string): string {
  const at = { prefix: 'shop', bucket: '3/32', namespace: 'users.old', key: 'a:{b}', tag: 't:1', database: '4' }
  return pattern.replace(/<(\w+)>/g, (_, part: keyof typeof at) => at[part])
}

describe('names', () => {
  const names = new RedisNames('shop', 4, '3/32')
  const address = { namespace: 'users.old', key: 'a:{b}' }

  test('what makes them makes those of the page', () => {
    const made = [
      names.entry(address),
      names.lease(address),
      names.clearStamp(address.namespace),
      names.tagStamp('t:1'),
      names.chain,
      names.channel,
      names.nothing,
    ]
    expect(made.sort()).toEqual(patterns.map(({ pattern }) => filled(pattern)).sort())
    expect(names.clearStamps(address.namespace)).toEqual(
      ['_', 'users', 'users.old'].map((each) => names.clearStamp(each)),
    )
    expect(Object.values(names.ofEntry(address)).sort()).toEqual(
      [names.entry(address), names.lease(address), names.chain].sort(),
    )
  })

  test('nothing else makes names', () => {
    const makers = ['entry', 'lease', 'clearStamp', 'tagStamp', 'nothing', 'clearStamps', 'ofEntry']
    const others = ['constructor', 'keyOf', 'entriesPattern']
    expect(Object.getOwnPropertyNames(RedisNames.prototype).sort()).toEqual([...makers, ...others].sort())
    expect(Object.keys(names).sort()).toEqual(['chain', 'channel', 'hashTag'])
  })
})

test('the header of an entry is that of the code', () => {
  const source = readFileSync(join(root, 'src/entry/header.ts'), 'utf8')
  const rows = (text: string) => text.match(/\| (?:\d+|…) \| (?:\d+|…) \| .+ \|$/gm)
  expect(rows(source)?.length).toBeGreaterThan(10)
  expect(rows(page)).toEqual(rows(source))
  const flags = Object.entries(header).flatMap(([name, value]) => (name.startsWith('FLAG_') ? [String(value)] : []))
  expect([...page.matchAll(/^\| (\d+) \| [^|]+ \|$/gm)].map(([, flag]) => flag)).toEqual(flags)
})

const LEASE = /^(?:[0-9a-f]+\|\d+!?|late\|[0-9a-f]+\|\d+\|\d+\|[^|]*\|.*|skip|failed\|[^|]*\|.*)$/s
const STAMP = /^\d{1,17}:[0-9a-f]{16}(?::\d{1,17})?$/
/** What is held under a name, by the letter behind the bucket. */
const HELD: Readonly<Record<string, RegExp>> = {
  v: new RegExp(`^tc${String.fromCharCode(header.FORMAT)}`),
  l: LEASE,
  k: STAMP,
  t: STAMP,
}

withOneRedis('what a cache leaves in Redis', 'all of its names are read', (kit) => {
  test('is named, typed, and written as the page says', async () => {
    const admin = new Redis(kit.server().url)
    const listener = new Redis(kit.server().url)
    const told: [channel: string, text: string][] = []
    listener.on('pmessage', (_, channel: string, text: string) => told.push([channel, text]))
    await listener.psubscribe('*')
    const seen = new Map<string, string>()
    const leases = new Set<string>()
    /** Looks at all that is there now. */
    const look = async () => {
      for (const name of await admin.keys('*')) {
        const type = await admin.type(name)
        const pattern = patterns.find(({ matcher }) => matcher.test(name))
        expect([name, pattern?.type]).toEqual([name, type])
        seen.set(pattern?.pattern ?? '', name)
        const [, letter = ''] = /\}:(\w)/.exec(name) ?? []
        if (type === 'hash') {
          const fields = Object.keys(await admin.hgetall(name)).filter(
            (field) => !/^([0-9]|[1-5]\d|6[0-3])$/.test(field),
          )
          expect(fields.sort()).toEqual(['floor', 'n', 'tip'])
          expect(await admin.pttl(name)).toBe(-1)
        } else {
          const held = (await admin.getBuffer(name))?.toString('latin1') ?? ''
          expect([name, held]).toEqual([name, expect.stringMatching(HELD[letter] as RegExp)])
          if (letter === 'l') leases.add(held.replace(/\|[0-9a-f]+$|^[0-9a-f]+/g, '…'))
        }
      }
    }

    const [here, there] = [await kit.make(), await kit.make()]
    const users = here.namespace('users.old', { ttl: '1h' })
    await here.set('a:{b}', 1, { tags: ['t:1', 't 2'] })
    await users.set('\n', { name: 'Ada' })
    await here.increment('n')
    await here.touch('n', '1m')
    await look()
    let end = () => {}
    const held = new Promise<void>((resolve) => {
      end = resolve
    })
    const waits = new Promise<void>((resolve) => void there.on('wait', () => resolve()))
    const load = here.getOrSet('loaded', () => held.then(() => null))
    await expect.poll(async () => (await admin.keys('*:l:*')).length).toBe(1)
    const waiting = there.getOrSet('loaded', () => 2)
    await waits
    await look()
    end()
    expect([await load, await waiting]).toEqual([null, null])
    await here.getOrSet('skipped', ({ skip }) => skip())
    await here.getOrSet('failed', () => Promise.reject(new Error('no'))).catch(() => {})
    await look()
    await here.expireTags('t:1')
    await here.invalidateTags('t 2')
    await here.expire('loaded')
    await here.delete('n')
    await users.clear()
    await look()

    const written = patterns.filter(({ type }) => type === 'string' || type === 'hash')
    expect([...seen.keys()].sort()).toEqual(written.map(({ pattern }) => pattern).sort())
    expect(leases.size).toBeGreaterThanOrEqual(2)
    const channel = patterns.find(({ type }) => type === 'channel')
    const nothing = patterns.find(({ type }) => type === 'none')
    const notices = told.filter(([name, text]) => !nothing?.matcher.test(name) || text !== '')
    expect(notices.filter(([name, text]) => !channel?.matcher.test(name) || !readNotice(text))).toEqual([])
    const operations = new Set(notices.map(([, text]) => readNotice(text)?.operation))
    expect([...operations].sort()).toEqual(['D', 'E', 'F', 'S', 'T', 'U', 'X'])
    admin.disconnect()
    listener.disconnect()
  })
})
