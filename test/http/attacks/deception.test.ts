import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'

describeFaces((open) => {
  describe('a page under the name of a static file', () => {
    test.each(['/account/x.css', '/account;x.js', '/account%2fx.png', '/account%00.ico', '/account/x.jpg?cb=1'])(
      '%s: the page of one user is not kept for the next',
      async (target) => {
        let visitor = 0
        const { get } = await open(
          (_, res) => {
            visitor++
            res.setHeader('Content-Type', 'text/html')
            res.end(`account of ${visitor}`)
          },
          { ttl: '1m' },
        )
        const first = await get(target)
        expect(first.cacheStatus).toBe('tiercache; fwd=uri-miss; detail=deception')
        expect((await get(target)).body).toBe('account of 2')
      },
    )

    test('one that says how long it lives is stored, and so is a style sheet', async () => {
      const { get } = await open(
        (req, res) => {
          res.setHeader('Content-Type', req.url === '/x.css' ? 'text/css' : 'text/html')
          if (req.url !== '/x.css') res.setHeader('Cache-Control', 'max-age=60')
          res.end('x')
        },
        { ttl: '1m' },
      )
      for (const target of ['/x.css', '/page.js']) {
        expect((await get(target)).cacheStatus).toMatch(/stored/)
        expect((await get(target)).cacheStatus).toMatch(/hit/)
      }
    })
  })
})
