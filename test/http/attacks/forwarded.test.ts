import { describe, expect, test } from 'vitest'
import { describeFaces } from './victim.ts'
import type { RequestListener } from 'node:http'

describeFaces((open) => {
  describe('what a client says of host and scheme that nobody vouches for', () => {
    const saying: RequestListener = (req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60')
      const { headers } = req
      const said = [
        headers['x-forwarded-host'],
        headers['x-forwarded-proto'],
        headers.forwarded,
        headers['front-end-https'],
      ]
      res.end(said.filter(Boolean).join() || 'clean')
    }

    test.each([
      ['another host', { 'X-Forwarded-Host': 'evil.example' }, /fwd=uri-miss; detail=x-forwarded-host$/],
      [
        'its own host, and another',
        { 'X-Forwarded-Host': 'h, evil.example' },
        /fwd=uri-miss; detail=x-forwarded-host$/,
      ],
      ['another scheme', { 'X-Forwarded-Proto': 'https' }, /fwd=bypass; detail=x-forwarded-proto$/],
      ['its own scheme, and another', { 'X-Forwarded-Proto': 'http, evil' }, /fwd=bypass; detail=x-forwarded-proto$/],
      ['a scheme that is none', { 'X-Forwarded-Proto': 'evil' }, /fwd=bypass; detail=x-forwarded-proto$/],
      ['Forwarded', { Forwarded: 'host=evil.example;proto=https' }, /fwd=uri-miss; detail=audit$/],
      ['Front-End-Https', { 'Front-End-Https': 'on' }, /fwd=uri-miss; detail=audit$/],
    ])('%s: is not in what others are sent', async (_, headers, cacheStatus) => {
      const { get } = await open(saying)
      const attack = await get('/', headers)
      expect(attack.body).not.toBe('clean')
      expect(attack.cacheStatus).toMatch(cacheStatus)
      expect((await get('/')).body).toBe('clean')
      expect((await get('/')).cacheStatus).toMatch(/hit/)
    })

    test('a redirect to https that a client without a proxy got is not what one behind a proxy gets', async () => {
      const { get } = await open((req, res) => {
        res.setHeader('Cache-Control', 'public, max-age=60')
        if (req.headers['x-forwarded-proto'] === 'https') res.end('page')
        else res.writeHead(301, { Location: 'https://h/' }).end()
      })
      await get('/')
      expect(await get('/', { 'X-Forwarded-Proto': 'https' })).toMatchObject({ status: 200, body: 'page' })
      expect(await get('/', { 'X-Forwarded-Proto': 'https' })).toMatchObject({ status: 200, body: 'page' })
    })

    test('what is the same anyway is stored', async () => {
      const { get } = await open(saying)
      const headers = { 'X-Forwarded-Host': 'h', 'X-Forwarded-Proto': 'http' }
      await get('/', headers)
      expect((await get('/')).cacheStatus).toMatch(/hit/)
    })
  })
})
