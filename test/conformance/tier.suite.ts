import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/entry/entry.ts'

/** A tier, near or far, by what both have in common. */
export interface TierSetting {
  /** Stores a value that may be served for `lifeMs`. */
  set(address: Address, value: unknown, lifeMs: number): Promise<void> | void
  /** What is there; `undefined` for nothing. */
  get(address: Address): Promise<unknown> | unknown
  delete(address: Address): Promise<void> | void
  /** Whether an entry goes by itself at its end, or stays for its reader to judge. */
  readonly endsByItself: boolean
  close(): Promise<void> | void
}

const LONG_MS = 600_000

/** What the two ports of `tiers/tier.ts` share. */
export function tierSuite(form: string, open: () => Promise<TierSetting>): void {
  const withSetting = (run: (setting: TierSetting) => Promise<void>) => async () => {
    const setting = await open()
    try {
      await run(setting)
    } finally {
      await setting.close()
    }
  }
  const k = { namespace: '_', key: 'k' }

  describe(`tier: ${form}`, () => {
    test(
      'has nothing that it was not given',
      withSetting(async ({ get }) => {
        expect(await get(k)).toBeUndefined()
      }),
    )

    test(
      'keeps what it was given, falsy values too',
      withSetting(async ({ set, get }) => {
        for (const value of ['text', { a: [1] }, null, 0, '', false]) {
          await set(k, value, LONG_MS)
          expect(await get(k)).toEqual(value)
        }
      }),
    )

    test(
      'a new value takes the place of the old one',
      withSetting(async ({ set, get }) => {
        await set(k, 'old', LONG_MS)
        await set(k, 'new', LONG_MS)
        expect(await get(k)).toBe('new')
      }),
    )

    test(
      'a deleted one is gone, deleting nothing does nothing, and it can be set again',
      withSetting(async (tier) => {
        await tier.delete(k)
        await tier.set(k, 1, LONG_MS)
        await tier.delete(k)
        expect(await tier.get(k)).toBeUndefined()
        await tier.set(k, 2, LONG_MS)
        expect(await tier.get(k)).toBe(2)
      }),
    )

    test(
      'every key of every namespace is another one, whatever is in it',
      withSetting(async (tier) => {
        const keys = [
          'k',
          'K',
          ' ',
          '*',
          '[a]',
          '{x}',
          '{',
          'a\r\nb',
          '\0',
          '\0k',
          'a\0b',
          ':',
          'b:c',
          '__proto__',
          'constructor',
          '😀',
          '\u00e9',
          'e\u0301',
          'x'.repeat(5000),
        ]
        const addresses = ['_', 'a', 'a.b', 'b'].flatMap((namespace) => keys.map((key) => ({ namespace, key })))
        for (const [index, address] of addresses.entries()) await tier.set(address, index, LONG_MS)
        for (const [index, address] of addresses.entries())
          expect([address, await tier.get(address)]).toEqual([address, index])
        for (const [index, address] of addresses.entries()) if (index % 2 === 0) await tier.delete(address)
        for (const [index, address] of addresses.entries()) {
          expect([address, await tier.get(address)]).toEqual([address, index % 2 === 0 ? undefined : index])
        }
      }),
    )

    test(
      'an entry past its end is as the port says: gone, or left for its reader to judge',
      withSetting(async (tier) => {
        await tier.set(k, 'short', 1)
        if (tier.endsByItself) await expect.poll(() => tier.get(k)).toBeUndefined()
        else expect(await tier.get(k)).toBe('short')
      }),
    )
  })
}
