import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { httpCache } from '../../src/middleware/express.ts'
import { describeExpress, listen, settle, until } from './express-app.ts'
import type { Response } from 'express'
import type { Server } from 'node:http'
import type { Route, Served } from './express-app.ts'

describeExpress(({ express, tiers, hit, open, serve }) => {
  describe('streams that by nature do not end', () => {
    test.each([
      ['text/event-stream', {}],
      ['Text/Event-Stream; charset=utf-8', { 'Cache-Control': 'public, max-age=60' }],
      ['multipart/x-mixed-replace;boundary=frame', {}],
    ])('%s is never stored, and keeps nobody waiting', async (type, fields) => {
      const heads: (() => void)[] = []
      const { server, runs } = await serve(
        (_, res) => {
          heads.push(() => res.set(fields).setHeader('Content-Type', type).write('data: 1\n\n'))
        },
        { ttl: '1m' },
      )
      let arrived = 0
      server.on('request', () => arrived++)
      const leader = listen(server)
      await until(() => heads.length === 1)
      const followers = [listen(server), listen(server)]
      await until(() => arrived === 3)
      await settle()
      expect(runs()).toBe(1)
      heads[0]?.()
      // They are let go at the head: not one of them has had its own head yet.
      await until(() => heads.length === 3)
      for (const head of heads.slice(1)) head()
      await until(() => followers.every(({ text }) => text().includes('data: 1')))
      expect(leader.text()).toContain('Cache-Status: tiercache; fwd=uri-miss; detail=endless\r\n')
      // Who comes later, while the stream goes on, waits for nobody either.
      const late = listen(server)
      await until(() => heads.length === 4)
      heads[3]?.()
      await until(() => late.text().includes('data: 1'))
      expect(leader.socket.destroyed).toBe(false)
    })
  })

  describe('a body whose end is long in coming', () => {
    /** A route whose responses have a head and some of their body; their ends are the test's. */
    function streaming(fields: Record<string, string> = {}) {
      const open: Response[] = []
      const route: Route = (req, res) => {
        if (req.method === 'POST') return res.send('done')
        res.set({ 'Cache-Control': 'max-age=60', ...fields }).write(`run ${open.length} `)
        return open.push(res)
      }
      return { open, route }
    }

    /** One client leads, two more wait, and are let go while the leader's body goes on. */
    async function letGo(server: Server, open: Response[]) {
      const clients = [listen(server)]
      await until(() => open.length === 1)
      clients.push(listen(server), listen(server))
      await until(() => open.length === 3)
      await until(() => clients.every(({ text }) => /run \d /.test(text())))
      expect(open[0]?.writableEnded).toBe(false)
      return clients
    }

    test('keeps nobody waiting for long', async () => {
      const { open, route } = streaming()
      const { server, runs } = await serve(route)
      const askedAt = performance.now()
      const [leader, ...followers] = await letGo(server, open)
      expect(performance.now() - askedAt).toBeGreaterThan(900)
      expect(leader?.text()).toContain('Cache-Status: tiercache; fwd=uri-miss; stored\r\n')
      // One whose process missed a notice meanwhile starts over, and may lead.
      for (const { text } of followers) expect(text()).toMatch(/^Cache-Status: tiercache; fwd=uri-miss(; stored)?\r$/m)
      // Nobody waits at all for some seconds.
      const later = listen(server)
      await until(() => open.length === 4)
      await until(() => later.text().includes('run 3 '))
      expect(runs()).toBe(4)
    })

    test('is stored when it ends', async () => {
      const { open, route } = streaming()
      const { server, hasty, cache, runs } = await serve(route)
      const [leader] = await letGo(server, open)
      open[0]?.end('whole')
      await until(() => leader?.text().includes('whole') === true)
      await untilStored(hasty)
      await hasty.get('/').set('Host', 'h').expect('run 0 whole').expect('Cache-Status', hit)
      await until(() => cache.counters.loadsWaiting === 0)
      expect(runs()).toBe(3)
      // It goes when it is made invalid.
      await hasty.post('/').set('Host', 'h').expect('done')
      listen(server)
      await until(() => open.length === 4)
    })

    test('so it is with Vary, for its own variant', async () => {
      const { open, route } = streaming({ Vary: 'X-V' })
      const { server, hasty } = await serve(route)
      await letGo(server, open)
      open[0]?.end('whole')
      await untilStored(hasty)
      await hasty.get('/').set('Host', 'h').expect('run 0 whole').expect('Cache-Status', hit)
      const other = hasty.get('/').set({ Host: 'h', 'X-V': 'b' })
      const answered = other.then(({ headers, text }) => [headers['cache-status'], text])
      await until(() => open.length === 4)
      open[3]?.end('other')
      expect(await answered).toEqual(['tiercache; fwd=vary-miss; stored', 'run 3 other'])
    })

    test('is not stored when its resource was made invalid before it ended', async () => {
      const { open, route } = streaming()
      const { server, hasty, cache, runs } = await serve(route)
      const [leader] = await letGo(server, open)
      await hasty.post('/').set('Host', 'h').expect('done')
      open[0]?.end('old')
      await until(() => leader?.text().includes('old') === true)
      await settle()
      await until(() => cache.counters.loadsWaiting === 0)
      const fresh = listen(server)
      await until(() => open.length === 4)
      await until(() => fresh.text().includes('run 3 '))
      expect(runs()).toBe(5)
    })

    test('nor when it was made invalid before those who wait were let go', async () => {
      const { open, route } = streaming()
      const { server, hasty } = await serve(route)
      const leader = listen(server)
      await until(() => open.length === 1)
      listen(server)
      await settle()
      await hasty.post('/').set('Host', 'h').expect('done')
      await until(() => open.length === 2)
      open[0]?.end('old')
      await until(() => leader.text().includes('old'))
      await settle()
      await hasty.get('/').set({ Host: 'h', 'Cache-Control': 'only-if-cached' }).expect(504)
    })

    test('is not stored when its route skips it late, nor when it is cut off', async () => {
      const { open, route } = streaming()
      const { server, hasty, runs } = await serve(route)
      await letGo(server, open)
      open[0]?.cache.skip()
      open[0]?.end('mine')
      open[1]?.destroy()
      await settle()
      await hasty.get('/').set({ Host: 'h', 'Cache-Control': 'only-if-cached' }).expect(504)
      expect(runs()).toBe(3)
    })

    if (tiers !== 'l1') {
      test('keeps nobody waiting in another process', async () => {
        const { open: responses, route } = streaming()
        const { server, prefix } = await serve(route)
        const leader = listen(server)
        await until(() => responses.length === 1)
        const app = express()
        app.use(httpCache(await open(prefix)))
        app.use((_, res) => res.send('of another process'))
        const other = app.listen(0, '127.0.0.1')
        await once(other, 'listening')
        const followers = [listen(other), listen(other)]
        await until(() => followers.every(({ text }) => text().includes('of another process')))
        expect(responses[0]?.writableEnded).toBe(false)
        leader.socket.destroy()
        other.closeAllConnections()
        other.close()
      })
    }
  })
})

/** Resolves when the store has an answer; the application is not asked. */
async function untilStored(agent: Served['hasty']): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  for (;;) {
    const { status } = await agent.get('/').set({ Host: 'h', 'Cache-Control': 'only-if-cached' })
    if (status === 200) return
    if (performance.now() > giveUpAt) throw new Error('it is not stored')
  }
}
