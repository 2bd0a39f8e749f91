import { expect, test } from 'vitest'
import { admit } from '../../src/http/admission.ts'
import { readHttpOptions } from '../../src/http/settings.ts'
import { requestOf } from './plain-exchange.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import type { HttpCacheOptions } from '../../src/http/options.ts'

test.each<[Partial<HttpRequest>, string, string?, HttpCacheOptions?]>([
  [{}, 'fill'],
  [{ headers: { cookie: 'a' } }, 'fill'],
  [{ headers: { cookie: 'a' } }, 'pass', 'cookie', { cookies: 'bypass' }],
  [{ headers: { authorization: 'a' } }, 'fill'],
  [{ headers: { 'content-length': '0' } }, 'fill'],
  [{ headers: { 'content-length': '1' } }, 'pass', 'request-body'],
  [{ headers: { 'transfer-encoding': 'chunked' } }, 'pass', 'request-body'],
  [{ headers: { 'if-match': '*' } }, 'pass', 'precondition'],
  [{ headers: { 'if-unmodified-since': 'x' } }, 'pass', 'precondition'],
  [{ headers: { 'x-http-method': 'DELETE' } }, 'pass', 'override'],
  [{ method: 'HEAD' }, 'read', 'head'],
  [{ headers: { range: 'bytes=0-1' } }, 'read', 'range'],
  [{ headers: { 'cache-control': 'No-Store' } }, 'read', 'request-no-store'],
  [{ headers: { 'cache-control': 'no-store, only-if-cached' } }, 'read', 'only-if-cached'],
  [{ headers: { 'cache-control': 'no-cache' } }, 'fill'],
  [{ foreignHost: true }, 'read', 'x-forwarded-host'],
  [{ method: 'HEAD', headers: { 'content-length': '1' } }, 'pass', 'request-body'],
  [{ method: 'QUERY', headers: { 'content-length': '1' } }, 'fill'],
  [{ method: 'QUERY', headers: { 'content-length': '1', range: 'bytes=0-1' } }, 'read', 'range'],
  [{ method: 'QUERY', headers: { 'content-length': '1', 'if-match': '*' } }, 'pass', 'precondition'],
  [{ headers: { pragma: 'no-cache' } }, 'fill'],
  [{ foreignScheme: true }, 'pass', 'x-forwarded-proto'],
  [{ method: 'OPTIONS' }, 'pass', 'method'],
  [{ method: 'POST' }, 'invalidate'],
  [{ method: 'PURGE' }, 'invalidate'],
  [{ method: 'get' }, 'invalidate'],
])('%j: %s %s', (changes, way, detail, options) => {
  const admission = admit(requestOf(changes), readHttpOptions(options))
  expect([admission.way, admission.detail]).toEqual([way, detail])
})
