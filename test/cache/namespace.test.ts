import { describe, expect, test } from 'vitest'
import type { DefaultOptions, DefaultSettings } from '../../src/cache/call-options.ts'
import { DEFAULT_NAMES, DEFAULTS, readLoadOptions, readSetOptions } from '../../src/cache/call-options.ts'
import { Namespace } from '../../src/cache/namespace.ts'
import { partsOf } from '../../src/create-cache.ts'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { inBothForms } from '../doubles/caches.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const schemaOf = (vendor: string): StandardSchema => ({
  '~standard': { version: 1, vendor, validate: (value) => ({ value }) },
})
const [one, other] = [schemaOf('one'), schemaOf('other')]

/** All that a listing gives. */
async function all(list: AsyncIterable<string>): Promise<string[]> {
  const keys: string[] = []
  for await (const key of list) keys.push(key)
  return keys
}

/** For each option the setting that it gives, and two values that are not the default. */
const SAMPLES = {
  ttl: ['ttlMs', 1000, 2000],
  l1Ttl: ['l1TtlMs', 1000, 2000],
  stale: ['staleMs', 1000, 2000],
  jitter: ['jitter', 0.5, 0.6],
  tags: ['tags', ['a'], ['b']],
  isolation: ['isolation', 'copy', 'reference'],
  schema: ['schema', one, other],
  tiers: ['tiers', 'l1', 'all'],
  negativeTtl: ['negativeTtlMs', 1000, 2000],
  refreshAhead: ['refreshAhead', 0.5, 'auto'],
  softTimeout: ['softTimeoutMs', 1000, 2000],
  hardTimeout: ['hardTimeoutMs', 1000, 2000],
  waitTimeout: ['waitTimeoutMs', 1000, 2000],
  requireAck: ['requireAck', true, false],
  schemaVersion: ['schemaVersion', 'one', 'two'],
} as const satisfies Record<keyof DefaultOptions, readonly [keyof DefaultSettings, unknown, unknown]>

describe('defaults', () => {
  test('every option that a namespace takes is tried here', () => {
    expect([...DEFAULT_NAMES].sort()).toEqual(Object.keys(SAMPLES).sort())
  })

  test.each(Object.entries(SAMPLES))('%s: the nearest holds', (name, [setting, first, second]) => {
    const given = { [name]: first } as DefaultOptions
    const root = new Namespace(partsOf({ defaults: given }, new FakeClock()))
    expect(root.defaults[setting]).toEqual(first)
    const below = root.within('a', { [name]: undefined }).within('b', undefined)
    expect(below.name).toBe('a.b')
    expect(below.defaults).toEqual({ ...DEFAULTS, [setting]: first })
    const own = new Namespace(partsOf(undefined, new FakeClock())).within('a', given).within('b', { [name]: undefined })
    expect(own.defaults).toEqual(below.defaults)
    const nearest = below.within('c', { [name]: second })
    expect(nearest.defaults).toEqual({ ...DEFAULTS, [setting]: second })
    expect([root.defaults[setting], below.defaults[setting]]).toEqual([first, first])
    expect(readLoadOptions('getOrSet', undefined, nearest.defaults)).toEqual(nearest.defaults)
    expect(readSetOptions({}, nearest.defaults)).toEqual(nearest.defaults)
  })
})

describe('the namespace that a cache is opened in', () => {
  inBothForms((kit) => {
    test('is that of its keys; clear and keys go no further, and others open it from the root', async () => {
      const shop = await kit.make({ namespace: 'shop', defaults: { ttl: '1h' } })
      const whole = kit.isShared ? await kit.make() : undefined
      expect([shop.name, shop.namespace('users').name]).toEqual(['shop', 'shop.users'])
      await shop.set('k', 1)
      await shop.namespace('users').set('k', 2)
      await whole?.set('k', 0)
      await whole?.namespace('blog').set('k', 3)
      if (whole) expect(await whole.namespace('shop').get('k')).toBe(1)
      expect(await all(shop.keys())).toEqual(['k'])
      await shop.clear()
      expect([await shop.get('k'), await shop.namespace('users').get('k')]).toEqual([undefined, undefined])
      if (whole) expect([await whole.get('k'), await whole.namespace('blog').get('k')]).toEqual([0, 3])
      expect(shop.stats().namespaces).toHaveProperty('shop')
    })
  })
})
