import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/entry/entry.ts'
import type { Ending, Lease, Leases } from '../../src/stampede/lease.ts'

/** Two processes that share leases. */
export interface LeaseSetting {
  readonly here: Leases
  readonly there: Leases
  readonly leaseMs: number
  /** The lease of this key runs out now, and so does what its last holder left. */
  runOut(address: Address): Promise<void>
  /** Lets `ms` go by. */
  elapse(ms: number): void
  close(): Promise<void> | void
}

const k: Address = { namespace: '_', key: 'k' }

async function granted(leases: Leases, address: Address, { hasWaited = false } = {}): Promise<Lease> {
  const reply = await leases.acquire(address, undefined, hasWaited)
  if (reply.word !== 'granted') throw new Error(`expected a lease, got ${JSON.stringify(reply)}`)
  return reply.lease
}

const word = async (leases: Leases, address: Address, hasWaited = false) =>
  (await leases.acquire(address, undefined, hasWaited)).word

/** What every form of {@link Leases} keeps to. */
export function leaseSuite(form: string, open: () => Promise<LeaseSetting>): void {
  const withSetting = (run: (setting: LeaseSetting) => Promise<void>) => async () => {
    const setting = await open()
    try {
      await run(setting)
    } finally {
      await setting.close()
    }
  }

  describe(`Leases: ${form}`, () => {
    test(
      'one holder per key; the others hear how long it may take at most',
      withSetting(async ({ here, there, leaseMs }) => {
        const lease = await granted(here, k)
        expect(lease.address).toEqual(k)
        for (const leases of [here, there]) {
          const reply = await leases.acquire(k, undefined, false)
          expect(reply).toEqual({ word: 'busy', leftMs: expect.any(Number) })
          const { leftMs } = reply as { leftMs: number }
          expect(leftMs).toBeGreaterThan(0)
          expect(leftMs).toBeLessThanOrEqual(leaseMs)
        }
      }),
    )

    test(
      'of many who ask at once, one is granted it',
      withSetting(async ({ here, there }) => {
        const words = await Promise.all(Array.from({ length: 20 }, (_, index) => word(index % 2 ? here : there, k)))
        expect(words.filter((each) => each === 'granted')).toHaveLength(1)
        expect(words.filter((each) => each === 'busy')).toHaveLength(19)
      }),
    )

    test(
      'every key of every namespace has a lease of its own',
      withSetting(async ({ here, there }) => {
        const addresses = ['_', 'a', 'a.b', 'constructor'].flatMap((namespace) =>
          ['k', 'K', '{x}', 'a\r\nb', '\0', '*', '__proto__', 'b:c', '😀'].map((key) => ({ namespace, key })),
        )
        for (const address of addresses) expect(await word(here, address)).toBe('granted')
        for (const address of addresses) expect(await word(there, address)).toBe('busy')
      }),
    )

    test(
      'given back, the next one gets it',
      withSetting(async ({ here, there }) => {
        await here.release(await granted(here, k), { word: 'refused' })
        const next = await granted(there, k)
        expect(next.token).toMatch(/^[0-9a-f]+$/)
        expect(await word(here, k)).toBe('busy')
      }),
    )

    test(
      'skipped: for a moment nobody waits, and one of those who load for themselves may store; then others wait again',
      withSetting(async ({ here, there, runOut }) => {
        await here.release(await granted(here, k), { word: 'skipped' })
        expect(await there.acquire(k, undefined, false, true)).toEqual({ word: 'skip' })
        const lease = await granted(there, k)
        expect([await word(here, k), await word(there, k), await word(here, k, true)]).toEqual(['skip', 'skip', 'skip'])
        expect(await there.inspect(k)).toMatchObject({ word: 'held', isAwaited: false })
        expect(await there.renew(lease)).toBe(true)
        await there.release(lease, { word: 'skipped' })
        expect(await there.inspect(k)).toMatchObject({ word: 'skipped' })
        await there.release(await granted(here, k), { word: 'refused' })
        expect([await word(here, k), await word(there, k)]).toEqual(['granted', 'busy'])
        await runOut(k)
        await here.release(await granted(here, k), { word: 'skipped' })
        await runOut(k)
        expect([await word(there, k), await word(here, k)]).toEqual(['granted', 'busy'])
      }),
    )

    test(
      'failed: who has waited shares the failure; a newcomer may try again',
      withSetting(async ({ here, there }) => {
        const ending: Ending = { word: 'failed', code: 'E_DOWN', message: 'the database is down, says "x"\nand more' }
        await here.release(await granted(here, k), ending)
        expect(await there.acquire(k, undefined, true)).toEqual(ending)
        expect(await there.acquire(k, undefined, true)).toEqual(ending)
        expect(await word(there, k, false)).toBe('granted')
        expect(await word(here, k, true)).toBe('busy')
      }),
    )

    test(
      'failed: what was left is gone after a moment',
      withSetting(async ({ here, there, runOut }) => {
        await here.release(await granted(here, k), { word: 'failed', code: 'E', message: 'm' })
        await runOut(k)
        expect(await word(there, k, true)).toBe('granted')
      }),
    )

    test(
      'late: who waited shares the failure, newcomers wait for one more lease, nobody can renew it',
      withSetting(async ({ here, there, leaseMs }) => {
        const lease = await granted(here, k)
        await here.release(lease, { word: 'late', keptMs: 60_000, code: 'E_LATE', message: 'too slow' })
        expect(await there.acquire(k, undefined, true)).toEqual({ word: 'failed', code: 'E_LATE', message: 'too slow' })
        const reply = await there.acquire(k, undefined, false)
        expect(reply).toEqual({ word: 'late', leftMs: expect.any(Number) })
        expect((reply as { leftMs: number }).leftMs).toBeGreaterThan(leaseMs / 2)
        expect((reply as { leftMs: number }).leftMs).toBeLessThanOrEqual(leaseMs)
        expect(await here.renew(lease)).toBe(false)
      }),
    )

    test(
      'late, then failed: the next one gets it',
      withSetting(async ({ here, there }) => {
        const lease = await granted(here, k)
        const waiter = there.wait(k)
        await here.release(lease, { word: 'late', keptMs: 60_000, code: 'E_LATE', message: 'too slow' })
        expect(await word(there, k)).toBe('late')
        const called = waiter.called(10_000)
        await here.release(lease, { word: 'failed', code: 'E', message: 'm' })
        expect(await called).toBe(true)
        expect(await word(there, k)).toBe('granted')
      }),
    )

    test(
      'deserted: whoever asks is granted it at once, also who has waited; nobody can renew it',
      withSetting(async ({ here, there }) => {
        for (const hasWaited of [false, true]) {
          const address = { namespace: '_', key: `k ${hasWaited}` }
          const lease = await granted(here, address)
          await here.release(lease, { word: 'deserted', keptMs: 60_000 })
          expect(await here.renew(lease)).toBe(false)
          const next = await granted(there, address, { hasWaited })
          await here.release(lease, { word: 'refused' })
          expect(await there.renew(next)).toBe(true)
        }
      }),
    )

    test(
      'run out, the next one gets it, and the ex-holder can do nothing to it',
      withSetting(async ({ here, there, runOut }) => {
        const before = await granted(here, k)
        await runOut(k)
        expect(await here.renew(before)).toBe(false)
        const after = await granted(there, k)
        expect(after.token).not.toBe(before.token)
        await here.release(before, { word: 'skipped' })
        expect(await here.renew(before)).toBe(false)
        expect(await word(here, k)).toBe('busy')
        expect(await there.renew(after)).toBe(true)
      }),
    )

    test(
      'released, it cannot be renewed; released twice does nothing',
      withSetting(async ({ here, there }) => {
        const lease = await granted(here, k)
        await here.release(lease, { word: 'refused' })
        expect(await here.renew(lease)).toBe(false)
        await granted(there, k)
        await here.release(lease, { word: 'refused' })
        expect(await word(here, k)).toBe('busy')
      }),
    )

    test(
      'who waits is called when the holder gives it back, in whichever process',
      withSetting(async ({ here, there }) => {
        for (const ending of [
          { word: 'refused' },
          { word: 'skipped' },
          { word: 'failed', code: 'E', message: 'm' },
          { word: 'deserted', keptMs: 60_000 },
        ] as const) {
          const address = { namespace: '_', key: ending.word }
          const lease = await granted(here, address)
          const waiters = [here.wait(address), there.wait(address)]
          for (const leases of [here, there]) expect(await word(leases, address)).toBe('busy')
          const woken = Promise.all(waiters.map((waiter) => waiter.called(10_000)))
          await here.release(lease, ending)
          expect(await woken).toEqual([true, true])
          for (const waiter of waiters) waiter.leave()
        }
      }),
    )

    test(
      'a call before the wait begins is not lost',
      withSetting(async ({ here, there }) => {
        const lease = await granted(here, k)
        const waiter = there.wait(k)
        await word(there, k)
        const witness = there.wait(k)
        const heard = witness.called(10_000)
        await here.release(lease, { word: 'refused' })
        await heard
        expect(await waiter.called(10_000)).toBe(true)
      }),
    )

    test(
      'who waits for another key, or has left, is not called',
      withSetting(async ({ here, there, elapse }) => {
        const other = { namespace: 'a', key: 'k' }
        const [waiter, left, elsewhere] = [there.wait(k), there.wait(k), there.wait(other)]
        left.leave()
        there.call(k)
        expect(await waiter.called(10_000)).toBe(true)
        const outcomes = Promise.all([left.called(20), elsewhere.called(20)])
        elapse(20)
        expect(await outcomes).toEqual([false, false])
        expect(await word(here, k)).toBe('granted')
      }),
    )
  })
}
