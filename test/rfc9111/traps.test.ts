import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=60' }

clause(
  'what writeHead is given in one call is stored, in each of its forms',
  { http1Because: 'flat lists are of HTTP/1.1' },
  async (world) => {
    const forms = [
      { 'Cache-Control': 'max-age=60', 'X-Form': 'object' },
      ['Cache-Control', 'max-age=60', 'X-Form', 'list'],
      [
        ['Cache-Control', 'max-age=60'],
        ['X-Form', 'pairs'],
      ],
    ]
    for (const [at, form] of forms.entries()) {
      world.app({ write: (res) => res.writeHead(200, form as never).end('body') })
      await world.get({}, `/${at}`)
      const got = await world.get({}, `/${at}`)
      expect([got.says('hit'), got.lines('cache-control'), got.body]).toEqual([true, ['max-age=60'], 'body'])
      expect(got.lines('x-form')).toHaveLength(1)
    }
  },
)

clause('writeHead overrides what setHeader said, whatever the case', async (world) => {
  world.app({
    write: (res) => {
      res.setHeader('cache-control', 'no-store')
      res.setHeader('X-A', 'old')
      res.writeHead(200, { 'Cache-Control': 'max-age=60', 'x-a': 'new' })
      res.end('body')
    },
  })
  await world.get()
  const got = await world.get()
  expect([got.says('hit'), got.lines('x-a')]).toEqual([true, ['new']])
})

clause('a status message of its own is replayed', { http1Because: 'HTTP/2 has none' }, async (world) => {
  world.app({ write: (res) => res.writeHead(200, 'Quite Fine', FRESH).end('body') })
  await world.get()
  expect((await world.get()).says('hit')).toBe(true)
})

clause('chunks are stored as they were when they were written', async (world) => {
  world.app({
    write: (res) => {
      const reused = Buffer.from('aaaa')
      res.writeHead(200, FRESH)
      res.write(reused, () => {
        reused.fill('b')
        res.write(reused, () => {
          reused.fill('c')
          res.end('end')
        })
      })
    },
  })
  const first = await world.get()
  const second = await world.get()
  expect([second.body.length, second.body]).toEqual([11, first.body])
  expect(second.body.startsWith('aaaa')).toBe(true)
})

clause('end(chunk) is recorded once', async (world) => {
  for (const [at, write] of [
    (res: import('node:http').ServerResponse) => res.writeHead(200, FRESH).end('only'),
    (res: import('node:http').ServerResponse) => {
      res.writeHead(200, FRESH)
      res.write('on')
      res.end('ly')
    },
  ].entries()) {
    world.app({ write })
    await world.get({}, `/${at}`)
    expect((await world.get({}, `/${at}`)).body).toBe('only')
  }
})

clause('encodings, typed arrays and empty chunks', async (world) => {
  world.app({
    write: (res) => {
      res.writeHead(200, { ...FRESH, 'Content-Type': 'application/octet-stream' })
      res.write('\u00e9', 'latin1')
      res.write('ff00', 'hex')
      res.write('AQI=', 'base64')
      res.write('')
      res.write(new Uint8Array([3, 4]))
      res.write('\u00e9')
      res.end()
    },
  })
  await world.get()
  const got = await world.get()
  expect([got.says('hit'), got.bytes.toString('hex')]).toEqual([true, 'e9ff0001020304c3a9'])
})

clause('a large body is replayed byte by byte', async (world) => {
  const body = Array.from({ length: 200_000 }, (_, at) => String.fromCharCode(at % 256)).join('')
  world.app({ fields: FRESH, body })
  const first = await world.get()
  const second = await world.get()
  expect([first.body === body, second.body === body, second.says('hit')]).toEqual([true, true, true])
})

clause('a body over the limit streams on, whole and uncached', { maxBodyBytes: 1000 }, async (world) => {
  world.app({ fields: FRESH, body: 'x'.repeat(1001) })
  for (let time = 1; time <= 2; time++) {
    expect((await world.get()).body.length).toBe(1001)
    expect(world.seen.length).toBe(time)
  }
  expect(await world.stores(FRESH, { body: 'x'.repeat(1000) })).toBe(true)
})

clause('a handler that changes its request does not change the key or the variant', async (world) => {
  world.app({
    write: (res, req) => {
      res.writeHead(200, { ...FRESH, Vary: 'X-V' })
      res.end(`for ${req.headers['x-v']}`)
      req.headers['x-v'] = 'b'
      req.url = '/other'
    },
  })
  await world.get({ 'X-V': 'a' })
  expect((await world.get({ 'X-V': 'b' })).body).toBe('for b')
  expect((await world.get({ 'X-V': 'a' })).body).toBe('for a')
})

clause('requests that carry another method or target in a field do not fill the cache', async (world) => {
  const names = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Original-URL', 'X-Rewrite-URL']
  for (const name of names) {
    const first = { fields: { [name]: name.includes('URL') ? '/admin' : 'DELETE' } }
    expect(await world.stores(FRESH, { first, second: {} }), name).toBe(false)
  }
})

clause('a GET with content neither reads nor fills the cache', async (world) => {
  for (const fat of [{ body: 'fat' }, { body: 'fat', lengthUntold: true }]) {
    expect(await world.stores(FRESH, { first: fat, second: {} })).toBe(false)
    expect(await world.stores(FRESH, { second: fat })).toBe(false)
  }
})

clause('an unvouched X-Forwarded-Host does not fill the cache', async (world) => {
  const first = { fields: { 'X-Forwarded-Host': 'evil.example' } }
  expect(await world.stores(FRESH, { first, second: {} })).toBe(false)
})

clause('a response to Cookie is not shared unless it says so', async (world) => {
  const first = { fields: { Cookie: 'sid=1' } }
  expect(await world.stores(FRESH, { first, second: {} })).toBe(false)
  expect(await world.stores({ 'Cache-Control': 'must-revalidate, max-age=60' }, { first, second: {} })).toBe(false)
  expect(await world.stores({ 'Cache-Control': 'public, max-age=60' }, { first, second: {} })).toBe(true)
  expect(await world.stores({ 'Cache-Control': 's-maxage=60' }, { first, second: {} })).toBe(true)
})

clause(
  'Set-Cookie is given to its own client, not to those who were collapsed with it',
  { setCookie: 'refuse' },
  async (world) => {
    const gate = world.gate()
    world.app(async ({ run }) => {
      if (run === 1) await gate.opened
      return { fields: { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': `sid=${run}` } }
    })
    const asked = Array.from({ length: 4 }, () => world.send({}))
    await world.reached(1)
    gate.open()
    const cookies = (await Promise.all(asked)).map((got) => got.field('set-cookie'))
    await world.front.landed()
    expect(new Set(cookies).size).toBe(4)
  },
)

clause('followers of a leader that fails get no empty 200', { style: 'stream' }, async (world) => {
  const gate = world.gate()
  world.app(async ({ run }) => {
    if (run === 1) await gate.opened
    return { fields: FRESH, body: `whole run ${run}`, breaksOff: run === 1 }
  })
  const asked = Array.from({ length: 4 }, () =>
    world.send({}).then(
      ({ body }) => body,
      () => 'cut off',
    ),
  )
  await world.reached(1)
  gate.open()
  const bodies = await Promise.all(asked)
  await world.front.landed()
  // Over HTTP/2, the client of the leader may take what came for the whole.
  const whole = bodies.filter((body) => /^whole run [2-9]$/.test(body))
  expect(whole).toHaveLength(3)
})

clause('event streams are not stored', async (world) => {
  expect(await world.stores({ ...FRESH, 'Content-Type': 'text/event-stream; charset=utf-8' })).toBe(false)
})

clause('fields of the application that clash with those of the cache are not doubled', async (world) => {
  world.app({ fields: { ...FRESH, Date: world.date(), Age: '3', 'content-length': '4' }, body: 'four' })
  await world.get()
  const got = await world.get()
  for (const name of ['date', 'age', 'content-length', 'cache-control', 'cache-status']) {
    expect(got.lines(name), name).toHaveLength(1)
  }
})

clause(
  'a HEAD on a miss reaches the application as HEAD or as GET, and is never stored as an empty page',
  async (world) => {
    world.app(({ method }) => ({ fields: { ...FRESH, ETag: '"a"' }, body: method === 'HEAD' ? '' : 'page' }))
    const head = await world.ask({ method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, ''])
    expect((await world.get()).body).toBe('page')
  },
)

clause('an empty page is a page', async (world) => {
  world.app({ fields: FRESH, body: '' })
  await world.get()
  const got = await world.get()
  expect([got.says('hit'), got.status, got.body, got.field('content-length')]).toEqual([true, 200, '', '0'])
})

clause('a response that is late to end goes to its client, and those who come later get it whole', async (world) => {
  const gate = world.gate()
  world.app({
    write: (res) => {
      res.writeHead(200, FRESH)
      res.write('first half, ')
      void gate.opened.then(() => res.end('second half'))
    },
  })
  const asked = [world.send({}), world.send({})]
  await world.reached(1)
  gate.open()
  for (const { body } of await Promise.all(asked)) expect(body).toBe('first half, second half')
  await world.front.landed()
  expect((await world.get()).body).toBe('first half, second half')
})

clause('lifetimes are told apart to the second across tiers: nothing is served past its end', async (world) => {
  for (const seconds of [1, 2, 5]) {
    expect(await world.freshAfter(seconds - 1, { 'Cache-Control': `max-age=${seconds}` })).toBe(true)
    expect(await world.freshAfter(seconds, { 'Cache-Control': `max-age=${seconds}` })).toBe(false)
  }
})

clause(
  'a conditional request on a miss fills the cache, though its handler streams',
  { style: 'stream', http1Because: 'a 304 closes a stream of HTTP/2, and with it what the handler writes on' },
  async (world) => {
    world.app({ fields: { ...FRESH, ETag: '"a"' }, body: 'a page in two chunks' })
    const first = await world.get({ 'If-None-Match': '"a"' })
    expect([first.status, first.body]).toEqual([304, ''])
    expect((await world.get()).body).toBe('a page in two chunks')
    expect(world.seen.length).toBe(1)
  },
)
