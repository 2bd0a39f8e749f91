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
