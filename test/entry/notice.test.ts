import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as notices from '../../src/entry/notice.ts'

/** A link's text as the scripts write it (`redis/lua/includes/chain.lua`). */
const link = (previousTip: string, tip: string, n: string, body: string) =>
  `[1,"${previousTip}","${tip}","${n}",${body}`

const KEYS = [
  'k',
  'with "quotes"',
  "it's",
  'a\r\nb',
  'nul\0',
  '{braces}',
  '[a,"b"]',
  '\\',
  '\\"',
  '😀',
  'é',
  ' ',
  '\x7f',
  '__proto__',
  '*',
]

describe('what is written is read again', () => {
  test.each(KEYS)('the key %j', (key) => {
    const subject = notices.keySubject({ namespace: 'shop.users', key })
    const text = link('aa', 'bb', '1790000000000001', notices.noticeBody('D', 'origin', subject))
    expect(notices.readNotice(text)).toEqual({
      previousTip: 'aa',
      tip: 'bb',
      n: '1790000000000001',
      operation: 'D',
      origin: 'origin',
      subject,
    })
    expect(notices.subjectKey(subject)).toEqual({ namespace: 'shop.users', key })
  })

  test('any key, as a link and as a wake-up', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
        fc.constantFrom('F' as const, 'R' as const),
        (key, operation) => {
          const address = { namespace: '_', key }
          const subject = notices.keySubject(address)
          const notice = notices.readNotice(notices.wakeUp(operation, 'origin', subject))
          expect(notice).toEqual({ previousTip: '', tip: '', n: '0', operation, origin: 'origin', subject })
          expect(notices.subjectKey(subject)).toEqual(address)
          expect(notices.readNotice(link('', 'x', '1', notices.noticeBody('S', 'origin', subject)))?.subject).toBe(
            subject,
          )
        },
      ),
    )
  })

  test('the longest key, all of it escaped', () => {
    const subject = notices.keySubject({ namespace: 'n'.repeat(64), key: '\x01'.repeat(8192) })
    expect(
      notices.readNotice(
        link('0'.repeat(16), '1'.repeat(16), '9'.repeat(17), notices.noticeBody('D', 'o'.repeat(16), subject)),
      )?.subject,
    ).toBe(subject)
  })

  test('all that moves the truth is a link, wake-ups are none', () => {
    const isLink = (operation: notices.Operation) =>
      notices.isLink({ previousTip: '', tip: '', n: '0', operation, origin: '', subject: '' })
    expect((['D', 'S', 'E', 'T', 'U', 'X', 'Y', 'F', 'R'] as const).map(isLink)).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ])
  })
})

test('a subject without a namespace or a key is no address', () => {
  for (const subject of ['', ':', ':k', 'n:', 'n']) expect(notices.subjectKey(subject)).toBeUndefined()
  expect(notices.subjectKey('n:a:b:')).toEqual({ namespace: 'n', key: 'a:b:' })
})

describe('what is no notice is told apart, and nothing else happens', () => {
  const good: unknown[] = [1, 'aa', 'bb', '5', 'D', 'origin', 'n:k']
  const withPart = (index: number, part: unknown) => JSON.stringify(good.with(index, part))

  test('the example itself is one', () => {
    expect(notices.readNotice(JSON.stringify(good))).toBeDefined()
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '[1,"aa"'],
    ['JSON with bytes behind it', `${JSON.stringify(good)}]`],
    ['a number', '1'],
    ['null', 'null'],
    ['an object', '{"length":7,"0":1}'],
    ['an empty array', '[]'],
    ['a part too few', JSON.stringify(good.slice(0, 6))],
    ['a part too many', JSON.stringify([...good, 'x'])],
    ['a later version', withPart(0, 2)],
    ['a version in words', withPart(0, '1')],
    ['a tip that is a number', withPart(2, 5)],
    ['a tip that is null', withPart(1, null)],
    ['a tip that is an array', withPart(1, ['aa'])],
    ['a number that is one', withPart(3, 5)],
    ['a number with lost digits', withPart(3, '1.79e+15')],
    ['a negative number', withPart(3, '-5')],
    ['an empty number', withPart(3, '')],
    ['a number of 18 digits', withPart(3, '9'.repeat(18))],
    ['a number with a line behind it', withPart(3, '5\n')],
    ['an unknown operation', withPart(4, 'Z')],
    ['two operations', withPart(4, 'DS')],
    ['an operation of Object.prototype', withPart(4, 'toString')],
    ['an empty operation', withPart(4, '')],
    ['an operation in an array', withPart(4, ['D'])],
    ['an origin that is an object', withPart(5, { toString: 'x' })],
    ['a subject that is null', withPart(6, null)],
    ['3 MB of text', withPart(6, `n:${'x'.repeat(3_000_000)}`)],
    ['3 MB of blanks', ' '.repeat(3_000_000)],
    ['100,000 nested arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['30,000 nested arrays, within the bound of length', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['nested arrays as a subject', `[1,"","","5","D","",${'['.repeat(20_000)}${']'.repeat(20_000)}]`],
    ['an own __proto__', '{"__proto__":[1,"","","5","D","","n:k"]}'],
  ])('%s', (_name, text) => {
    expect(notices.readNotice(text)).toBeUndefined()
  })

  test('any JSON, and any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(notices.readNotice(text)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })
})
