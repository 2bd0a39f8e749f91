import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'

describeFaces((open) => {
  let users = 0
  const personal: Parameters<typeof open>[0] = (_, res) => {
    res.setHeader('Content-Type', 'text/plain')
    res.end(`user ${++users}`)
  }

  describe('what was made for one user goes to nobody else', () => {
    test.each([
      ['Authorization', { Authorization: 'Basic a' }, 'authorization'],
      ['Cookie', { Cookie: 'sid=1' }, 'cookie'],
    ])('%s', async (_, headers, detail) => {
      const { get } = await open(personal, { ttl: '1m' })
      const own = await get('/', headers)
      expect(own.cacheStatus).toContain(`detail=${detail}`)
      expect((await get('/')).body).not.toBe(own.body)
    })

    test('nor is a user with Authorization sent what was made for all, unless it says so', async () => {
      const { get } = await open(personal, { ttl: '1m' })
      const common = await get('/')
      expect((await get('/', { Authorization: 'Basic a' })).body).not.toBe(common.body)
    })

    test.each(['X-Api-Key', 'X-User', 'X-Auth-Token', 'X-Amz-Security-Token', 'Api-Key', 'Token'])(
      '%s, where the handler looks at it',
      async (name) => {
        const { get } = await open((req, res) => res.end(`for ${req.headers[name.toLowerCase()]}`), { ttl: '1m' })
        expect((await get('/', { [name]: 'one' })).body).toBe('for one')
        expect((await get('/', { [name]: 'two' })).body).toBe('for two')
        expect((await get('/')).body).toBe('for undefined')
      },
    )
  })

  describe('a page of one user that says it is over at once', () => {
    /** As Express sends a file: the tag is made of size and time, which the files of two users may well share. */
    const invoice =
      (control: string, tag = 'W/"10-18bcfe56800"'): Parameters<typeof open>[0] =>
      (req, res) => {
        const user = /user=(\w+)/.exec(`${req.headers.cookie ?? req.headers.authorization}`)?.[1]
        res.setHeader('Cache-Control', control)
        if (user === undefined) res.writeHead(401).end('who is it?')
        else if (req.headers['if-none-match'] === tag) res.writeHead(304, { ETag: tag }).end()
        else res.writeHead(200, { ETag: tag }).end(`for ${user}`)
      }
    const asCookie = (user: string) => ({ Cookie: `user=${user}` })
    const asToken = (user: string) => ({ Authorization: `Bearer user=${user}` })

    describe.each([
      ['Cookie', asCookie],
      ['Authorization', asToken],
    ])('%s', (_, as) => {
      test.each(['public, max-age=0', 'public, s-maxage=0', 'public, no-cache', 'public, max-age=0, must-revalidate'])(
        '%s is not served to strangers by the options stale and staleIfError',
        async (control) => {
          const { get } = await open(invoice(control), { ttl: '1m', stale: '1m', staleIfError: '1h' })
          expect((await get('/', as('ada'))).body).toBe('for ada')
          expect(await get('/')).toMatchObject({ status: 401, body: 'who is it?' })
          expect((await get('/', as('bob'))).body).toBe('for bob')
        },
      )

      test.each(['public, max-age=0', 'public, s-maxage=0', 'public, no-cache', 'public, max-age=0, must-revalidate'])(
        '%s is not confirmed by what another one has, though that has its tag',
        async (control) => {
          const { get } = await open(invoice(control))
          expect((await get('/', as('ada'))).body).toBe('for ada')
          const bob = await get('/', as('bob'))
          expect(bob.body).toBe('for bob')
          expect(bob.cacheStatus).toMatch(/detail=(zero-lifetime|no-cache)/)
        },
      )

      test.each([{ stale: '1m' }, { staleIfError: '1m' }] as const)(
        'in the conformance profile it is stored, and served to nobody who has not asked, %o',
        async (options) => {
          const { get } = await open(invoice('public, max-age=0', '"of this one"'), {
            profile: 'conformance',
            ...options,
          })
          expect((await get('/', as('ada'))).cacheStatus).toContain('; stored')
          expect(await get('/')).toMatchObject({ status: 401, body: 'who is it?' })
        },
      )
    })

    test('a guest’s is not what a user is shown whose own has its tag', async () => {
      const { get } = await open((req, res) => {
        const tag = 'W/"5-18bcfe56800"'
        res.setHeader('Cache-Control', 'no-cache')
        if (req.headers['if-none-match'] === tag) res.writeHead(304, { ETag: tag }).end()
        else res.writeHead(200, { ETag: tag }).end(req.headers.cookie === undefined ? 'guest' : 'hello')
      })
      expect((await get('/')).body).toBe('guest')
      expect((await get('/', asCookie('ada'))).body).toBe('hello')
    })
  })

  describe('a cookie that a handler reads', () => {
    const greeting: Parameters<typeof open>[0] = (req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.end(`hi ${req.headers.cookie}`)
    }

    test('has its page not stored (strict), or once for each cookie (vary)', async () => {
      const strict = await open(greeting, { audit: 'strict' })
      expect((await strict.get('/', { Cookie: 'user=ada' })).cacheStatus).toContain('detail=audit')
      expect((await strict.get('/')).body).toBe('hi undefined')
      const vary = await open(greeting, { audit: 'vary' })
      expect((await vary.get('/', { Cookie: 'user=ada' })).headers.vary).toBe('cookie')
      expect((await vary.get('/')).body).toBe('hi undefined')
      expect((await vary.get('/', { Cookie: 'user=ada' })).cacheStatus).toContain('; hit')
    })

    test('is nothing where the route says that cookies do not count', async () => {
      const { get } = await open(greeting, { audit: 'strict', cookies: 'ignore' })
      expect((await get('/', { Cookie: 'user=ada' })).cacheStatus).toContain('; stored')
    })
  })

  describe('nor what proxies say of a user, though the response says how long it is fresh', () => {
    test.each(
      [
        [
          'Cf-Access-Authenticated-User-Email',
          'Cf-Access-Jwt-Assertion',
          'X-Goog-Iap-Jwt-Assertion',
          'X-Pomerium-Jwt-Assertion',
        ],
        ['X-Ms-Client-Principal', 'X-Ms-Client-Principal-Name', 'X-Amzn-Oidc-Data', 'X-Amzn-Oidc-Identity', 'X-Jwt'],
        [
          'Ssl-Client-S-Dn',
          'X-Ssl-Client-S-Dn',
          'SSL_CLIENT_S_DN',
          'X-Client-Dn',
          'X-Ssl-Client-Verify',
          'X-Client-Cert',
        ],
        ['X-Credential', 'X-Access-Key', 'X_Access_Key', 'Proxy-Authorization', 'Cookie2', 'Sec-Token', 'Accept-Token'],
        [
          'X-Email',
          'X-Org-Id',
          'X-Organization',
          'X-Scope-OrgID',
          'X-Workspace-Id',
          'X-Company-Id',
          'X-Roles',
          'X-Groups',
        ],
        ['Remote-User', 'X-Consumer-Id', 'X-Permissions', 'X-Identity', 'X-Login', 'X-Member-Id', 'X-Claims-Sub'],
      ].flat(),
    )('%s', async (name) => {
      const { get } = await open((req, res) => {
        res.setHeader('Cache-Control', 'max-age=60')
        res.end(`for ${req.headers[name.toLowerCase()]}`)
      })
      const own = await get('/', { [name]: 'one' })
      expect(own).toMatchObject({ body: 'for one', cacheStatus: expect.stringContaining('detail=audit') })
      expect((await get('/', { [name]: 'two' })).body).toBe('for two')
      expect((await get('/')).body).toBe('for undefined')
    })

    test.each(
      [
        [
          'User-Agent',
          'Referer',
          'Origin',
          'Dnt',
          'Accept',
          'Accept-Language',
          'Sec-Fetch-User',
          'Sec-Ch-Ua',
          'Sec-Gpc',
        ],
        ['Via', 'X-Forwarded-For', 'X-Real-Ip', 'Cf-Ray', 'Cf-Visitor', 'Cf-Ipcountry', 'Cf-Connecting-Ip', 'Cdn-Loop'],
      ].flat(),
    )('what is sent with every request is none of it, or nothing would be stored: %s', async (name) => {
      const { get } = await open((req, res) => res.end(`${typeof req.headers[name.toLowerCase()]}`), { ttl: '1m' })
      await get('/', { [name]: '1' })
      expect((await get('/')).cacheStatus).toMatch(/hit/)
    })
  })

  describe('a cookie that a response sets', () => {
    test.each([
      ['by the handler', undefined],
      [
        'late, by what stands in front of the cache',
        // What on-headers does, and with it most sessions.
        ((_, res, next) => {
          const { writeHead } = res
          res.writeHead = ((...args: never[]) => {
            res.setHeader('Set-Cookie', `sid=${++users}`)
            return Reflect.apply(writeHead, res, args)
          }) as never
          next()
        }) as Parameters<typeof open>[2],
      ],
    ])('%s goes to its own client only, and so does the page', async (_, front) => {
      const { get, cache } = await open(
        (_, res) => {
          if (!front) res.setHeader('Set-Cookie', `sid=${++users}`)
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.end(`page of ${users}`)
        },
        undefined,
        front,
      )
      const first = await get('/')
      const second = await get('/')
      expect(first.headers['set-cookie']).toBeDefined()
      expect(second.headers['set-cookie']).toBeDefined()
      expect(second.headers['set-cookie']).not.toEqual(first.headers['set-cookie'])
      expect(second.body).not.toBe(first.body)
      expect(cache.counters.http.refusals['set-cookie']).toBe(2)
    })

    test.each([
      ['Cache-Control', 'private, no-store', 'no-store'],
      ['Cache-Control', 'private', 'private'],
      ['Vary', 'X-User', 'vary'],
      ['Vary', 'Accept-Encoding', undefined],
      ['X-Frame-Options', 'DENY', undefined],
    ] as const)('%s: %s, late by what stands in front of the cache, refuses: %s', async (name, value, refusal) => {
      const { get, cache, runs } = await open(
        (_, res) => {
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.end('page')
        },
        undefined,
        (_, res, next) => {
          const { writeHead } = res
          res.writeHead = ((...args: never[]) => {
            res.setHeader(name, value)
            return Reflect.apply(writeHead, res, args)
          }) as never
          next()
        },
      )
      await get('/')
      expect((await get('/')).headers[name.toLowerCase()]).toBe(value)
      expect(runs()).toBe(refusal ? 2 : 1)
      if (refusal) expect(cache.counters.http.refusals[refusal]).toBe(2)
    })

    test('is not in what waiting clients get', async () => {
      let release = () => {}
      const { get, runs } = await open((_, res) => {
        release = () => {
          res.setHeader('Set-Cookie', `sid=${++users}`)
          res.setHeader('Cache-Control', 'public, max-age=60')
          res.end(`page of ${users}`)
        }
        if (users >= 0 && waiting > 1) release()
      })
      let waiting = 1
      const first = get('/')
      while (runs() === 0) await new Promise((resolve) => setImmediate(resolve))
      const second = get('/')
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
      waiting = 2
      release()
      const [one, two] = await Promise.all([first, second])
      expect(two.headers['set-cookie']).not.toEqual(one.headers['set-cookie'])
      expect(two.body).not.toBe(one.body)
    })
  })
})
