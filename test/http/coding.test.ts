import { describe, expect, test } from 'vitest'
import { codedFields, codingFor, codingHeld, isCompressible, withVary } from '../../src/http/coding.ts'
import { readCompress } from '../../src/http/coding-options.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { requestOf } from './plain-exchange.ts'
import { storedOf } from './stored.ts'
import type { CompressOptions, CompressSettings } from '../../src/http/coding-options.ts'
import type { Fields, HttpRequest } from '../../src/http/message.ts'

function settingsOf(options: CompressOptions = {}): CompressSettings {
  const settings = readCompress('compress', options)
  if (!settings) throw new Error('no settings')
  return settings
}

describe('what is compressed', () => {
  const body = 'x'.repeat(1024)
  const compressible = (fields: Fields, options?: CompressOptions, length = 1024, status = 200) =>
    isCompressible(storedOf({ status, fields, body: body.slice(0, length) }), settingsOf(options))

  test.each([
    'text/html',
    'text/html; charset=utf-8',
    'TEXT/CSS',
    'application/json',
    'application/ld+json',
    'image/svg+xml',
    'application/javascript',
    'application/wasm',
  ])('%s is', (type) => expect(compressible([['Content-Type', type]])).toBe(true))

  test.each([
    'image/png',
    'video/mp4',
    'application/zip',
    'font/woff2',
    'application/octet-stream',
    '',
    'json',
    'xtext/html',
  ])('%s is not', (type) => expect(compressible([['Content-Type', type]])).toBe(false))

  test('nor is what has no type, is small, or is no whole 200', () => {
    const html: Fields = [['Content-Type', 'text/html']]
    expect(compressible([])).toBe(false)
    expect(compressible(html, {}, 1023)).toBe(false)
    expect(compressible(html, { threshold: 10 }, 10)).toBe(true)
    for (const status of [203, 206, 404]) expect(compressible(html, {}, 1024, status)).toBe(false)
  })

  test.each([
    ['Content-Encoding', 'gzip'],
    ['content-encoding', 'identity'],
    ['Content-Digest', 'x'],
    ['Repr-Digest', 'x'],
    ['Content-MD5', 'x'],
    ['Signature', 'x'],
    ['Cache-Control', 'max-age=1, No-Transform'],
  ])('nor what says %s: %s', (name, value) => {
    expect(
      compressible([
        ['Content-Type', 'text/html'],
        [name, value],
      ]),
    ).toBe(false)
  })

  test('types are an option', () => {
    expect(compressible([['Content-Type', 'model/obj']], { types: ['model/*'] })).toBe(true)
    expect(compressible([['Content-Type', 'model/obj']], { types: [/OBJ$/i] })).toBe(true)
    expect(compressible([['Content-Type', 'text/html']], { types: ['model/*'] })).toBe(false)
  })
})

describe('the coding for a request', () => {
  const coding = (headers: HttpRequest['headers'], options?: CompressOptions) =>
    codingFor(requestOf({ headers }), settingsOf(options))

  test('is the one that it wants most (RFC 9110, section 12.5.3)', () => {
    expect(coding({ 'accept-encoding': 'gzip, deflate, br' })).toBe('br')
    expect(coding({ 'accept-encoding': ['gzip', 'br;q=0.1'] })).toBe('gzip')
    expect(coding({ 'accept-encoding': 'gzip, br' }, { codings: ['gzip'] })).toBe('gzip')
    expect(coding({ 'accept-encoding': 'gzip, br' }, { codings: ['gzip', 'br'] })).toBe('gzip')
    expect(coding({ 'accept-encoding': 'br;q=0' })).toBe('identity')
    expect(coding({})).toBe('identity')
  })

  test('is none for a range, and where the request forbids it', () => {
    expect(coding({ 'accept-encoding': 'br', range: 'bytes=0-1' })).toBe('identity')
    expect(coding({ 'accept-encoding': 'br', 'cache-control': 'no-transform' })).toBe('identity')
    expect(coding({ 'accept-encoding': 'br', 'cache-control': 'max-age=0' })).toBe('br')
  })
})

describe('the fields of a coded form', () => {
  const fields: Fields = [
    ['Content-Type', 'text/html'],
    ['ETag', '"a"'],
    ['Content-Length', '9'],
    ['Vary', 'Origin'],
  ]

  test('its bytes have another tag and length, and Vary names what they are chosen by', () => {
    expect(codedFields(fields, 'br', 5)).toEqual([
      ['Content-Type', 'text/html'],
      ['ETag', '"a-br"'],
      ['Vary', 'Origin, Accept-Encoding'],
      ['Content-Encoding', 'br'],
      ['Content-Length', '5'],
    ])
    expect(codedFields([['etag', 'W/"a"']], 'gzip', 5)).toContainEqual(['etag', 'W/"a-gzip"'])
    expect(codedFields([['etag', '"$&"']], 'gzip', 5)).toContainEqual(['etag', '"$&-gzip"'])
  })

  test('so does that of the form in no coding', () => {
    expect(withVary([])).toEqual([['Vary', 'Accept-Encoding']])
    expect(withVary([['vary', ['a', 'b']]])).toEqual([['Vary', 'a, b, Accept-Encoding']])
    for (const vary of ['accept-encoding', 'Origin, ACCEPT-ENCODING', '*'])
      expect(withVary([['Vary', vary]])).toEqual([['Vary', vary]])
  })

  test('a form is known by its tag again', () => {
    const held = (tags: string, etag = '"a"') =>
      codingHeld(requestOf({ headers: { 'if-none-match': tags } }), [['ETag', etag]], ['br', 'gzip'])
    expect(held('"a-br"')).toBe('br')
    expect(held('"x", W/"a-gzip"')).toBe('gzip')
    expect(held('W/"a-br"', 'W/"a"')).toBe('br')
    for (const other of ['"a"', '"b-br"', '*', '"aa-br"', 'a-br', '"x"a-br"', '']) expect(held(other)).toBeUndefined()
    expect(held('"a-br"', 'a')).toBeUndefined()
    expect(codingHeld(requestOf(), fields, ['br'])).toBeUndefined()
  })
})

describe('compress', () => {
  test('is off by default', () => {
    expect(readHttpOptions({}).compress).toBeUndefined()
    expect(readHttpOptions({ compress: false }).compress).toBeUndefined()
    expect(readHttpOptions({ compress: true }).compress).toMatchObject({
      codings: ['br', 'gzip'],
      thresholdBytes: 1024,
      maxBytes: 32 * 2 ** 20,
    })
  })

  test.each([
    [{ codings: ['deflate'] }, "codings: expected a list of 'br' and 'gzip'"],
    [{ codings: [] }, 'codings: expected'],
    [{ threshold: -1 }, 'threshold: expected'],
    [{ types: 'text/html' }, 'types: expected a list of media types'],
    [{ maxBytes: 0.5 }, 'maxBytes: expected'],
    [{ level: 9 }, "unknown option 'level'"],
    ['gzip', 'compress: expected an object'],
  ])('%j is refused', (compress, message) => {
    expect(() => readHttpOptions({ compress } as never)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_/), message: expect.stringContaining(message) }),
    )
  })
})
