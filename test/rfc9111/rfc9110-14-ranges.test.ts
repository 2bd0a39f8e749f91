import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'

const BODY = '0123456789'
const FRESH = { 'Cache-Control': 'max-age=60', ETag: '"a"' }

/** Stores the whole response. */
async function stored(world: World, fields: Record<string, string> = {}): Promise<void> {
  world.app({ fields: { ...FRESH, ...fields }, body: BODY })
  await world.get()
  expect((await world.get()).says('hit')).toBe(true)
}

const range = (text: string) => ({ Range: text })

clause('RFC 9110 §14.2 a satisfiable range of a stored response SHOULD be answered by 206', async (world) => {
  await stored(world)
  const ranges = [
    ['bytes=0-3', '0123', '0-3'],
    ['bytes=4-', '456789', '4-9'],
    ['bytes=9-9', '9', '9-9'],
    ['bytes=0-', BODY, '0-9'],
  ]
  for (const [asked = '', body, spec] of ranges) {
    const got = await world.get(range(asked))
    expect([got.status, got.body, got.field('content-range')], asked).toEqual([206, body, `bytes ${spec}/10`])
    expect(got.field('content-length')).toBe(String(body?.length))
    expect(got.says('hit')).toBe(true)
  }
  expect(world.seen.length).toBe(1)
})

clause('RFC 9110 §14.1.2 a last position beyond the end means the end', async (world) => {
  await stored(world)
  const got = await world.get(range('bytes=7-100'))
  expect([got.status, got.body, got.field('content-range')]).toEqual([206, '789', 'bytes 7-9/10'])
})

clause('RFC 9110 §14.1.2 a suffix means the last bytes, at most all of them', async (world) => {
  await stored(world)
  for (const [asked, body, spec] of [
    ['bytes=-3', '789', '7-9'],
    ['bytes=-10', BODY, '0-9'],
    ['bytes=-99', BODY, '0-9'],
  ] as const) {
    const got = await world.get(range(asked))
    expect([got.status, got.body, got.field('content-range')], asked).toEqual([206, body, `bytes ${spec}/10`])
  }
})

clause('RFC 9110 §14.2 a range that cannot be satisfied SHOULD be answered by 416, with the length', async (world) => {
  await stored(world)
  for (const asked of ['bytes=10-', 'bytes=10-20', 'bytes=99-100', 'bytes=-0']) {
    const got = await world.get(range(asked))
    expect([got.status, got.field('content-range')], asked).toEqual([416, 'bytes */10'])
    expect(got.body).not.toContain('0123')
  }
  expect((await world.get()).status).toBe(200)
})

clause('RFC 9110 §14.2 a range that is invalid, or of another unit, is ignored', async (world) => {
  await stored(world)
  for (const asked of [
    'bytes=5-2',
    'bytes=a-b',
    'bytes',
    'bytes=',
    'items=0-1',
    '0-3',
    'bytes=1',
    'bytes=--1',
    'bytes=1-2-3',
    'bytes 0-3',
  ]) {
    const got = await world.get(range(asked))
    expect([got.status, got.body], asked).toEqual([200, BODY])
    expect(got.field('content-range')).toBeUndefined()
  }
})

clause('RFC 9110 §14.1 units are compared without regard to case', async (world) => {
  await stored(world)
  expect((await world.get(range('Bytes=0-3'))).body).toBe('0123')
})

clause('RFC 9110 §14.2 several ranges: the whole response, or all of them as multipart', async (world) => {
  await stored(world)
  const got = await world.get(range('bytes=0-1, 8-9'))
  if (got.status === 206) {
    expect(got.field('content-type')).toMatch(/^multipart\/byteranges/)
    expect(got.field('content-range')).toBeUndefined()
  } else expect([got.status, got.body]).toEqual([200, BODY])
})

clause('RFC 9110 §14.2 Range MUST be ignored with methods other than GET', async (world) => {
  await stored(world)
  const got = await world.ask({ method: 'HEAD', fields: range('bytes=0-3') })
  expect([got.status, got.field('content-length')]).toEqual([200, '10'])
  expect(got.field('content-range')).toBeUndefined()
})

clause('RFC 9110 §14.2 Range is for a 200 only', async (world) => {
  world.app({ status: 404, fields: FRESH, body: BODY })
  await world.get()
  const got = await world.get(range('bytes=0-3'))
  expect([got.status, got.body]).toEqual([404, BODY])
})

clause('RFC 9110 §14.2 Range is judged after the preconditions', async (world) => {
  await stored(world)
  expect((await world.get({ ...range('bytes=0-3'), 'If-None-Match': '"a"' })).status).toBe(304)
  expect((await world.get({ ...range('bytes=99-'), 'If-None-Match': '"a"' })).status).toBe(304)
  expect((await world.get({ ...range('bytes=0-3'), 'If-None-Match': '"b"' })).status).toBe(206)
})

clause(
  'RFC 9110 §15.3.7 a 206 MUST have Date, Cache-Control, ETag, Expires, Content-Location and Vary of the 200',
  async (world) => {
    const fields = {
      Expires: world.date(60),
      'Content-Location': '/here',
      Vary: 'Accept-Language',
      'Content-Type': 'text/x',
    }
    await stored(world, fields)
    const whole = await world.get()
    const part = await world.get(range('bytes=0-3'))
    expect(part.status).toBe(206)
    for (const name of ['date', 'cache-control', 'etag', 'expires', 'content-location', 'vary', 'content-type']) {
      expect(part.field(name), name).toBe(whole.field(name))
    }
    expect(part.age).toBe(0)
  },
)

clause('RFC 9110 §13.1.5 If-Range with the strong tag of the response: the range', async (world) => {
  await stored(world)
  const got = await world.get({ ...range('bytes=0-3'), 'If-Range': '"a"' })
  expect([got.status, got.body]).toEqual([206, '0123'])
})

clause('RFC 9110 §13.1.5 … with another one, Range MUST be ignored', async (world) => {
  await stored(world)
  for (const tag of ['"b"', 'W/"a"', 'a', '*', '"a", "b"', '"A"']) {
    const got = await world.get({ ...range('bytes=0-3'), 'If-Range': tag })
    expect([got.status, got.body], tag).toEqual([200, BODY])
    expect((await world.get({ ...range('bytes=99-'), 'If-Range': tag })).status, tag).toBe(200)
  }
})

clause('RFC 9110 §13.1.5 … weak tags never match, not even themselves', async (world) => {
  await stored(world, { ETag: 'W/"a"' })
  expect((await world.get({ ...range('bytes=0-3'), 'If-Range': 'W/"a"' })).status).toBe(200)
})

clause('RFC 9110 §13.1.5 … a date must be strong, and match Last-Modified exactly', async (world) => {
  const modified = world.date(-1000)
  await stored(world, { 'Last-Modified': modified })
  expect((await world.get({ ...range('bytes=0-3'), 'If-Range': modified })).status).toBe(206)
  for (const seconds of [-999, -1001, 0]) {
    expect((await world.get({ ...range('bytes=0-3'), 'If-Range': world.date(seconds) })).status).toBe(200)
  }
})

clause('RFC 9110 §8.8.2.2 … a Last-Modified of the second of Date is weak', async (world) => {
  const now = world.date()
  await stored(world, { 'Last-Modified': now, Date: now })
  expect((await world.get({ ...range('bytes=0-3'), 'If-Range': now })).status).toBe(200)
})

clause('RFC 9110 §13.1.5 If-Range MUST be ignored without Range', async (world) => {
  await stored(world)
  const got = await world.get({ 'If-Range': '"b"' })
  expect([got.status, got.body, got.says('hit')]).toEqual([200, BODY, true])
})

clause('RFC 9111 §4 a range of a stored response is a hit with Age; of a stale one it is not', async (world) => {
  await stored(world)
  world.pass(30)
  expect((await world.get(range('bytes=0-0'))).age).toBe(30)
  world.pass(31)
  await world.get(range('bytes=0-0'))
  expect(world.seen.length).toBe(2)
})

clause('RFC 9111 §3.3 on a miss, a range fills the cache with the whole response or with nothing', async (world) => {
  world.app(({ headers }) => {
    if (headers.range !== 'bytes=2-4') return { fields: FRESH, body: BODY }
    return { status: 206, fields: { ...FRESH, 'Content-Range': 'bytes 2-4/10' }, body: '234' }
  })
  const part = await world.get(range('bytes=2-4'))
  expect(part.status === 206 ? part.body : BODY).toBe(part.status === 206 ? '234' : part.body)
  const whole = await world.get()
  expect([whole.status, whole.body]).toEqual([200, BODY])
})

clause('RFC 9110 §14.2 ranges of an empty response cannot be satisfied', async (world) => {
  world.app({ fields: FRESH, body: '' })
  await world.get()
  expect([200, 416]).toContain((await world.get(range('bytes=0-'))).status)
})

clause('RFC 9110 §14.1.2 positions too great for a number are no trouble', async (world) => {
  await stored(world)
  expect((await world.get(range(`bytes=0-${'9'.repeat(30)}`))).body).toBe(BODY)
  expect((await world.get(range(`bytes=${'9'.repeat(30)}-`))).status).toBe(416)
  expect((await world.get(range(`bytes=-${'9'.repeat(30)}`))).body).toBe(BODY)
})
