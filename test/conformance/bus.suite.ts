import { describe, expect, test } from 'vitest'
import type { Bus, BusListener, LostLinks } from '../../src/bus/bus.ts'
import type { Notice } from '../../src/entry/notice.ts'

/** A fleet of two processes. */
export interface BusSetting {
  readonly here: Bus
  readonly there: Bus
  /** A process of the given origin changes the truth, which tells it in the first bucket, or another one. */
  publish(origin: string, operation: 'D' | 'X', subject: string, bucket?: number): Promise<void>
  /** Resolves when everything that was published has been heard. */
  settled(): Promise<void>
  /** Resolves when both have proven to be current, now. */
  proven(): Promise<void>
  /** The monotonic instant. */
  now(): number
  close(): Promise<void> | void
}

/** What one process hears. */
export class Hearing implements BusListener {
  readonly heard: { readonly notice: Notice; readonly bucket: number }[] = []
  readonly gaps: string[] = []
  readonly losses: unknown[][] = []

  noticed(notice: Notice, bucket: number): void {
    this.heard.push({ notice, bucket })
  }

  gap(reason: string): void {
    this.gaps.push(reason)
  }

  lost(reason: string, _buckets: readonly number[], links?: LostLinks): void {
    this.losses.push(links ? [reason, links] : [reason])
  }

  get notices(): Notice[] {
    return this.heard.map(({ notice }) => notice)
  }

  get subjects(): string[] {
    return this.notices.map(({ operation, origin, subject }) => `${operation} ${subject} by ${origin}`)
  }
}

/** What every form of {@link Bus} keeps to. */
export function busSuite(form: string, open: (here: BusListener, there: BusListener) => Promise<BusSetting>): void {
  const withSetting = (run: (setting: BusSetting, here: Hearing, there: Hearing) => Promise<void>) => async () => {
    const [here, there] = [new Hearing(), new Hearing()]
    const setting = await open(here, there)
    try {
      await run(setting, here, there)
    } finally {
      await setting.close()
    }
  }

  describe(`Bus: ${form}`, () => {
    test(
      'everybody hears everything, in order, the origin too',
      withSetting(async ({ here: bus, there: other, publish, settled }, here, there) => {
        const expected: string[] = []
        for (let index = 0; index < 20; index++) {
          const origin = index % 3 ? bus.origin : other.origin
          await publish(origin, 'D', `_:k${index}`)
          expected.push(`D _:k${index} by ${origin}`)
        }
        await publish('third', 'X', 'shop')
        expected.push('X shop by third')
        await settled()
        expect(here.subjects).toEqual(expected)
        expect(there.subjects).toEqual(expected)
      }),
    )

    test(
      'of every bucket all is heard, in its order, and told with its number',
      withSetting(async ({ here: bus, publish, settled }, here, there) => {
        const buckets = Array.from({ length: bus.buckets }, (_, bucket) => bucket)
        for (const nth of [1, 2, 3]) for (const bucket of buckets) await publish('third', 'D', `_:${nth}`, bucket)
        await settled()
        for (const hearing of [here, there]) {
          const heard = buckets.map((bucket) => hearing.heard.filter((each) => each.bucket === bucket))
          const subjects = heard.map((notices) => notices.map(({ notice }) => notice.subject))
          expect(subjects).toEqual(buckets.map(() => ['_:1', '_:2', '_:3']))
        }
      }),
    )

    test(
      'subjects come as they were given',
      withSetting(async ({ publish, settled }, here) => {
        const subjects = ['_:"quoted"', "a.b:it's", '_:a\r\nb\0', '_:{x}', '_:[1,"",""]', '_:\\', '_:😀', '_:__proto__']
        for (const subject of subjects) await publish('third', 'D', subject)
        await settled()
        expect(here.notices.map(({ subject }) => subject)).toEqual(subjects)
      }),
    )

    test(
      'while nothing is missed there is no gap, and each notice follows the one before',
      withSetting(async ({ publish, settled, proven }, here) => {
        await publish('third', 'D', '_:first')
        await settled()
        await proven()
        here.gaps.length = 0
        for (let index = 0; index < 10; index++) await publish('third', 'D', `_:k${index}`)
        await settled()
        await proven()
        expect(here.gaps).toEqual([])
        const { notices } = here
        expect(notices.slice(1).map(({ previousTip }) => previousTip)).toEqual(
          notices.slice(0, -1).map(({ tip }) => tip),
        )
        expect(notices.slice(1).map(({ n }) => Number(n))).toEqual(notices.slice(0, -1).map(({ n }) => Number(n) + 1))
      }),
    )

    test(
      'is current once that was proven',
      withSetting(async ({ here, there, publish, proven, now }) => {
        await publish('third', 'D', '_:k')
        const before = now()
        await proven()
        for (const bus of [here, there]) expect(bus.currency(0).verifiedAt).toBeGreaterThanOrEqual(before)
      }),
    )

    test(
      'a closed one hears nothing more',
      withSetting(async ({ here: bus, publish, settled }, here, there) => {
        await publish('third', 'D', '_:before')
        await settled()
        bus.close()
        await publish('third', 'D', '_:after')
        await settled()
        expect(there.notices).toHaveLength(2)
        expect(here.subjects).toEqual(['D _:before by third'])
      }),
    )

    test(
      'two processes have two origins',
      withSetting(async ({ here, there }) => {
        expect(here.origin).not.toBe(there.origin)
      }),
    )
  })
}
