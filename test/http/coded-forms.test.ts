import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { CodedForms } from '../../src/http/coded-forms.ts'
import { readCompress } from '../../src/http/coding-options.ts'
import { linesOf } from '../../src/http/message.ts'
import { requestOf } from './plain-exchange.ts'
import { storedOf } from './stored.ts'
import type { CompressOptions } from '../../src/http/coding-options.ts'
import type { StoredResponse } from '../../src/http/stored-response.ts'

function formsOf(options: CompressOptions = {}): CodedForms {
  const settings = readCompress('compress', options)
  if (!settings) throw new Error('no settings')
  return new CodedForms(settings)
}

function page(body: string): StoredResponse {
  return storedOf({
    fields: [
      ['Content-Type', 'text/html'],
      ['ETag', '"a"'],
    ],
    body,
  })
}

const wants = (coding: string) => requestOf({ headers: { 'accept-encoding': coding } })
const codingOf = ({ fields }: StoredResponse) => linesOf(fields, 'content-encoding')[0]

/** Asks until the form is there. */
async function made(forms: CodedForms, stored: StoredResponse, coding: string): Promise<StoredResponse> {
  await vi.waitUntil(() => codingOf(forms.formFor(stored, wants(coding))) === coding, { interval: 1, timeout: 10_000 })
  return forms.formFor(stored, wants(coding))
}

test('the first to ask gets the bytes as they are stored; later ones the form, once it is made', async () => {
  const forms = formsOf()
  const stored = page('hello '.repeat(1000))
  const first = forms.formFor(stored, wants('br'))
  expect(first.body).toBe(stored.body)
  expect(first.fields).toContainEqual(['Vary', 'Accept-Encoding'])
  expect(linesOf(first.fields, 'etag')).toEqual(['"a"'])

  const br = await made(forms, stored, 'br')
  expect(brotliDecompressSync(br.body).toString()).toBe(Buffer.from(stored.body).toString())
  expect(linesOf(br.fields, 'etag')).toEqual(['"a-br"'])
  expect(linesOf(br.fields, 'content-length')).toEqual([String(br.body.byteLength)])
  expect(forms.formFor(stored, wants('br'))).toBe(br)

  const gzip = await made(forms, stored, 'gzip')
  expect(gunzipSync(gzip.body).toString()).toBe(Buffer.from(stored.body).toString())
  expect(forms.formFor(stored, wants('identity'))).toBe(first)
  expect(forms.formFor(stored, requestOf())).toBe(first)
})

test('what is not compressible is sent as it is stored', () => {
  const small = page('x')
  expect(formsOf().formFor(small, wants('br'))).toBe(small)
})

test('a coding that makes nothing smaller is not tried again', async () => {
  const forms = formsOf({ threshold: 0 })
  const stored = page('x')
  forms.formFor(stored, wants('gzip'))
  // What was asked for later is made later.
  await made(forms, page('y'.repeat(1000)), 'gzip')
  expect(codingOf(forms.formFor(stored, wants('gzip')))).toBeUndefined()
})

test('a client that has a coded form is told so, though it is not made here', () => {
  const forms = formsOf()
  const stored = page('hello '.repeat(1000))
  const request = requestOf({ headers: { 'accept-encoding': 'br', 'if-none-match': '"a-br"' } })
  expect(linesOf(forms.formFor(stored, request).fields, 'etag')).toEqual(['"a-br"'])
})

test('what is not in L1 has no form made of it', async () => {
  const forms = formsOf()
  const stored = page('hello '.repeat(1000))
  const plain = forms.plainFor(stored, wants('br'))
  expect(plain.fields).toContainEqual(['Vary', 'Accept-Encoding'])
  await made(forms, page('other '.repeat(1000)), 'br')
  expect(codingOf(forms.formFor(stored, wants('br')))).toBeUndefined()
  const request = requestOf({ headers: { 'if-none-match': '"a-gzip"' } })
  expect(linesOf(forms.plainFor(stored, request).fields, 'etag')).toEqual(['"a-gzip"'])
  const small = page('x')
  expect(forms.plainFor(small, wants('br'))).toBe(small)
})

test('forms are bounded: the oldest goes, and is made again', async () => {
  const [one, other] = [page('one '.repeat(2000)), page('two '.repeat(2000))]
  const size = (await made(formsOf(), one, 'gzip')).body.byteLength
  const forms = formsOf({ maxBytes: size + 10 })
  await made(forms, one, 'gzip')
  await made(forms, other, 'gzip')
  expect(codingOf(forms.formFor(one, wants('gzip')))).toBeUndefined()
  await made(forms, one, 'gzip')
})

test('one that is larger than all together may be is not kept', async () => {
  const forms = formsOf({ maxBytes: 60 })
  const stored = page(Array.from({ length: 1000 }, (_, n) => `${n}`).join(' '))
  forms.formFor(stored, wants('gzip'))
  await made(forms, page('y'.repeat(1100)), 'gzip')
  expect(codingOf(forms.formFor(stored, wants('gzip')))).toBeUndefined()
})
