import { describe, expect, test } from 'vitest'
import type { TagIndex } from '../../src/tags/tag-index.ts'

/** Two processes that share the truth about groups. */
export interface TagIndexSetting {
  readonly here: TagIndex
  readonly there: TagIndex
  /** Stores something in a namespace; the answer tells whether it is still good, for every process. */
  store(namespace: string): Promise<() => Promise<boolean>>
  close(): Promise<void> | void
}

/** What every form of {@link TagIndex} keeps to. */
export function tagIndexSuite(form: string, open: () => Promise<TagIndexSetting>): void {
  const NAMESPACES = [
    '_',
    'shop',
    'shop.users',
    'shop.users.old',
    'shop.orders',
    'shopping',
    'shop-users',
    'constructor',
    '__proto__',
  ]

  describe(`TagIndex: ${form}`, () => {
    test.each<[cleared: string, gone: string[]]>([
      ['shop', ['shop', 'shop.users', 'shop.users.old', 'shop.orders']],
      ['shop.users', ['shop.users', 'shop.users.old']],
      ['shop.users.old', ['shop.users.old']],
      ['__proto__', ['__proto__']],
      ['nothing.here', []],
      ['_', NAMESPACES],
    ])('clearing %s makes void what is in it and below it, and nothing else', async (cleared, gone) => {
      const setting = await open()
      try {
        const stored = new Map<string, () => Promise<boolean>>()
        for (const namespace of NAMESPACES) stored.set(namespace, await setting.store(namespace))
        await setting.here.clear(cleared)
        for (const [namespace, isGood] of stored)
          expect([namespace, await isGood()]).toEqual([namespace, !gone.includes(namespace)])
      } finally {
        await setting.close()
      }
    })

    test('what is stored after a clear is good, until the next one, from whichever process', async () => {
      const setting = await open()
      try {
        await setting.here.clear('shop')
        const first = await setting.store('shop.users')
        expect(await first()).toBe(true)
        await setting.there.clear('shop')
        expect(await first()).toBe(false)
        const second = await setting.store('shop.users')
        expect([await first(), await second()]).toEqual([false, true])
      } finally {
        await setting.close()
      }
    })
  })
}
