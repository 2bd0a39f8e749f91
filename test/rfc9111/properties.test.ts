import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'
import type { Ask, Got, RequestFields } from './client.ts'
import type { ResponseFields, Seen } from './front.ts'

/** The first value three times out of four, so that hits are common. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 3 }, { arbitrary: fc.constantFrom(...others), weight: 1 })
}

const none = undefined

/** What one user asks for. */
const asking = fc.record({
  method: mostly('GET', 'HEAD'),
  host: mostly('a.example', 'b.example'),
  below: mostly('/x', '/y', '/x?q', '/%78'),
  fields: fc.record({
    Authorization: mostly(none, 'Basic ada', 'Basic bob', 'Digest username="ada,b"', 'Digest username="ada, b"'),
    Cookie: mostly(none, 'sid=ada', 'sid=bob', 'sid="a b"', 'sid="a  b"'),
    'X-A': mostly(none, '1', '2', '1, 2', '1,2'),
    'Accept-Language': mostly('en', 'de'),
    'Cache-Control': mostly(none, 'no-store', 'max-age=0', 'max-stale=600'),
    Range: mostly(none, none, none, 'bytes=0-2'),
  }),
})

/** What the application answers to that, if it is asked, and how many seconds pass before. */
const answering = fc.record({
  seconds: mostly(0, 3, 30),
  control: fc.tuple(
    mostly('max-age=10', 'max-age=100', 'public, max-age=100', 's-maxage=100', 'must-revalidate, max-age=10'),
    mostly(none, 'private', 'no-store', 'no-cache', 'stale-while-revalidate=5'),
  ),
  vary: mostly(none, 'X-A', 'Accept-Language, x-a', '*', 'Cookie, Authorization'),
  cookie: mostly(false, true),
})

/** A response that the application made, as the oracle knows it. */
interface Made {
  readonly by: Ask & { readonly fields: RequestFields }
  readonly fields: ResponseFields
  readonly at: number
}

clause('no response is ever shared across keys or credentials, nor after its time', async (world) => {
  let hits = 0
  let now = 0
  let page = 0
  const property = fc.asyncProperty(
    fc.array(fc.tuple(asking, answering), { minLength: 6, maxLength: 12 }),
    async (visits) => {
      page++
      const made = new Map<string, Made>()
      for (const [{ fields: given, ...rest }, answer] of visits) {
        world.pass(answer.seconds)
        now += answer.seconds
        const by = { ...rest, below: `/p${page}${rest.below}`, fields: defined(given) }
        const fields = {
          'Cache-Control': answer.control.filter((each) => each !== none).join(', '),
          ...(answer.vary === none ? {} : { Vary: answer.vary }),
          ...(answer.cookie ? { 'Set-Cookie': 'sid=new' } : {}),
        }
        const before = world.seen.length
        world.app((seen) => {
          const { run } = seen
          made.set(`run-${run}`, { by: askedBy(seen, world.path), fields, at: now })
          return { fields: { ...fields, 'X-Run': `run-${run}` }, body: `run-${run}` }
        })
        const got = await world.ask(by)
        await world.front.landed()
        const name = got.field('x-run') ?? ''
        // What was made for this very request is its own, and nobody else's concern.
        if (world.seen.length > before && name === `run-${before + 1}`) continue
        if (got.status >= 400) continue
        hits++
        expectShareable(made.get(name), by, now, world, got)
      }
    },
  )
  await fc.assert(property, { numRuns: 25 })
  expect(hits).toBeGreaterThan(10)
})

/** What the application saw: a renewal behind a reader has not his credentials. */
function askedBy({ method, target, headers }: Seen, path: string): Made['by'] {
  const host = String(headers[':authority'] ?? headers.host)
  return { method, host, below: target.slice(path.length), fields: headers as RequestFields }
}

/** The rules once more, as plainly as can be. */
function expectShareable(source: Made | undefined, by: Made['by'], now: number, { setUp }: World, got: Got): void {
  if (!source) throw new Error('a response that nobody made')
  const control = String(source.fields['Cache-Control'])
  const says = (directive: string) => control.split(', ').some((each) => each.split('=')[0] === directive)
  const isForAll = says('public') || says('s-maxage')
  expect([by.host, by.below]).toEqual([source.by.host, source.by.below])
  for (const word of ['private', 'no-store', 'no-cache']) expect(says(word), word).toBe(false)
  expect(source.fields.Vary).not.toBe('*')
  expect(fieldOf(source.by.fields, 'cache-control')).not.toBe('no-store')
  for (const { fields } of [source.by, by]) {
    if (fieldOf(fields, 'authorization')) expect(isForAll || says('must-revalidate'), 'Authorization').toBe(true)
  }
  if (fieldOf(source.by.fields, 'cookie')) expect(isForAll, 'Cookie').toBe(true)
  for (const name of String(source.fields.Vary ?? '')
    .toLowerCase()
    .split(', ')) {
    if (name) expect(fieldOf(by.fields, name), name).toBe(fieldOf(source.by.fields, name))
  }
  if (setUp.options.profile === 'safe')
    expect([source.fields['Set-Cookie'], got.field('set-cookie')]).toEqual([none, none])
  const lifetime = Number(/s-maxage=(\d+)/.exec(control)?.[1] ?? /max-age=(\d+)/.exec(control)?.[1])
  const stale = says('must-revalidate') || says('s-maxage') ? 0 : staleSeconds(control, by, setUp.options.profile)
  expect(now - source.at).toBeLessThan(lifetime + stale)
}

/** How long past its lifetime the response, or the request, allows it to be used. */
function staleSeconds(control: string, { fields }: Made['by'], profile: string | undefined): number {
  const isObeyed = profile === 'conformance' && fields['Cache-Control'] === 'max-stale=600'
  return isObeyed ? 601 : Number(/stale-while-revalidate=(\d+)/.exec(control)?.[1] ?? 0)
}

function fieldOf(fields: RequestFields, name: string): unknown {
  return Object.entries(fields).find(([each]) => each.toLowerCase() === name)?.[1]
}

function defined(fields: Record<string, string | undefined>): RequestFields {
  return Object.fromEntries(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== none))
}

/** Fields of the connection, of the cache, and those that tell the length, which depends on how it is sent. */
const MAY_DIFFER = ['age', 'cache-status', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'etag']

clause('the stored and the replayed response differ only in the fields that the RFC says', async (world) => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/)
  const value = fc
    .string({ unit: fc.constantFrom(...'aZ09 ,;="\\:()<>@[]{}?/\té'), maxLength: 20 })
    .map((text) => text.trim())
  const lines = fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }))
  const response = fc.record({
    status: fc.constantFrom(200, 203, 301, 404, 410),
    fields: fc.dictionary(name, lines, { maxKeys: 5 }),
    body: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => Buffer.from(text).toString('latin1')),
  })
  let page = 0
  const property = fc.asyncProperty(response, async ({ status, fields, body }) => {
    const below = `/s${page++}`
    world.app({
      status,
      fields: { ...(world.setUp.protocol === 'HTTP/2' ? lowerCase(fields) : fields), 'Cache-Control': 'max-age=60' },
      body,
    })
    const first = await world.get({}, below)
    const second = await world.get({}, below)
    expect([second.says('hit'), second.status]).toEqual([true, status])
    expect(second.bytes.equals(first.bytes)).toBe(true)
    expect(second.bytes.toString('latin1')).toBe(body)
    expect(kept(second)).toEqual(kept(first))
  })
  await fc.assert(property, { numRuns: 25 })
})

/** Those that the cache reads, or acts upon. */
const READ = [
  'Cache-Control',
  'CDN-Cache-Control',
  'Tiercache-Control',
  'Expires',
  'Age',
  'Date',
  'ETag',
  'Last-Modified',
  'Vary',
  'No-Vary-Search',
  'Cache-Groups',
  'Cache-Tag',
  'Surrogate-Key',
  'Content-Type',
  'Content-Encoding',
  'Content-Location',
  'Location',
  'Set-Cookie',
  'Cache-Status',
]

clause('whatever bytes an application writes into fields, its clients get its pages', async (world) => {
  const characters = ['\t', ...Array.from({ length: 224 }, (_, index) => String.fromCharCode(index + 32))]
  const bytes = fc.string({ unit: fc.constantFrom(...characters.filter((each) => each !== '\x7f')), maxLength: 20 })
  const likely = fc.constantFrom(
    'max-age=60',
    'public, ',
    'max-age=',
    'private="',
    '"a"',
    'W/',
    '*',
    'params',
    '=("',
    ';',
    ', ,',
  )
  const value = fc.array(fc.oneof(likely, bytes), { maxLength: 4 }).map((parts) => parts.join('').trim())
  const response = fc.dictionary(fc.constantFrom(...READ), value, { minKeys: 1, maxKeys: 5 })
  let page = 0
  let hits = 0
  const property = fc.asyncProperty(response, async (written) => {
    const below = `/w${page++}`
    const fields = { 'Cache-Control': 'max-age=60', ...written }
    world.app({ fields: world.setUp.protocol === 'HTTP/2' ? lowerCase(fields) : fields, body: 'one' })
    const first = await world.get({}, below)
    await world.front.landed()
    world.app({ body: 'two' })
    const second = await world.get({}, below)
    expect([first.status, first.body, second.status]).toEqual([200, 'one', 200])
    expect(second.body).toBe(second.says('hit') ? 'one' : 'two')
    if (!second.says('hit')) return
    hits++
    expect(kept(second)).toEqual(kept(first))
  })
  await fc.assert(property, { numRuns: 100 })
  expect(hits).toBeGreaterThan(0)
})

/** HTTP/2 knows names in lower case only; two that differ in case would be one. */
function lowerCase(fields: Record<string, string | string[]>): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
}

function kept({ fields }: Got): readonly (readonly [string, string])[] {
  const others = fields.filter(([name]) => !MAY_DIFFER.includes(name.toLowerCase()))
  return others
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

const FIELDS = [
  'Cache-Control',
  'If-None-Match',
  'If-Modified-Since',
  'Range',
  'If-Range',
  'Accept-Encoding',
  'Accept-Language',
  'Authorization',
  'Cookie',
  'Host',
  'X-Forwarded-Host',
  'Content-Length',
  'Transfer-Encoding',
  'Expect',
  'Connection',
]

clause(
  'whatever bytes come over a connection, the cache goes on',
  { http1Because: 'bytes of HTTP/1.1' },
  async (world) => {
    world.app({ fields: { 'Cache-Control': 'max-age=60', Vary: 'X-A', ETag: '"a"' } })
    const bytes = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 30,
    })
    const likely = fc.constantFrom(
      'no-cache',
      'max-age=',
      'bytes=-',
      'bytes=0-0,',
      '"',
      'W/"a"',
      '*',
      'gzip;q=',
      ', ,',
      '\t',
      '=',
      ';',
    )
    const value = fc.array(fc.oneof(likely, bytes), { maxLength: 4 }).map((parts) => parts.join(''))
    const line = fc.tuple(fc.constantFrom(...FIELDS), value).map(([name, text]) => `${name}: ${text}\r\n`)
    const start = fc.oneof(
      fc.constantFrom(
        `GET ${world.path} HTTP/1.1\r\n`,
        `QUERY ${world.path} HTTP/1.1\r\n`,
        `HEAD ${world.path} HTTP/1.1\r\n`,
      ),
      bytes.map((text) => `GET ${world.path}?${text} HTTP/1.1\r\n`),
      fc.constantFrom('GET * HTTP/1.1\r\n', `GET http://a.example${world.path} HTTP/1.1\r\n`, 'OPTIONS * HTTP/1.1\r\n'),
      bytes,
    )
    const host = fc.constantFrom('Host: a.example\r\n', 'Host: a.example\r\nHost: b.example\r\n', 'Host:\r\n', '')
    const message = fc
      .tuple(start, host, fc.array(line, { maxLength: 4 }))
      .map(([first, named, rest]) => `${first}${named}${rest.join('')}\r\n`)
    const property = fc.asyncProperty(message, async (text) => {
      const answer = await answerTo(world.front.client.port, text)
      // An answer of HTTP, or none to what was never whole.
      if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 [1-5]\d\d /)
      expect(answer).not.toMatch(/^HTTP\/1\.1 500/)
    })
    await fc.assert(property, { numRuns: 400 })
    await world.front.landed()
    const got = await world.get()
    expect(got.body).toMatch(/^run \d+$/)
  },
)

/** Sends bytes over a connection of their own, then its end; resolves with what came back. */
async function answerTo(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('error', () => {})
  socket.on('data', (data) => {
    answer += data.toString('latin1')
  })
  socket.end(Buffer.from(text, 'latin1'))
  await once(socket, 'close')
  return answer
}
