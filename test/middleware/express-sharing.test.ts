import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { describeExpress, send, settle, until } from './express-app.ts'
import type { Response } from 'express'
import type { Route } from './express-app.ts'

describeExpress(({ hit, serve }) => {
  describe('credentials', () => {
    test('Authorization is neither answered nor stored, unless the response says so', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', `${req.query.say ?? 'max-age=60'}`).send(req.headers.authorization ?? 'nobody')
      })
      await agent
        .get('/b')
        .set('Authorization', 'Basic ada')
        .expect('Basic ada')
        .expect('Cache-Status', /detail=authorization$/)
      await agent.get('/b').set('Authorization', 'Basic bob').expect('Basic bob')
      await agent.get('/a').expect('nobody')
      await agent.get('/a').expect('nobody').expect('Cache-Status', hit)
      await agent
        .get('/a')
        .set('Authorization', 'Basic bob')
        .expect('Basic bob')
        .expect('Cache-Status', 'tiercache; fwd=bypass; detail=authorization')
      expect(runs()).toBe(4)
      for (const say of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60']) {
        const url = `/?say=${encodeURIComponent(say)}`
        await agent.get(url).set('Authorization', 'Basic ada').expect('Basic ada')
        await agent.get(url).set('Authorization', 'Basic bob').expect('Basic ada')
        await agent.get(url).expect('Basic ada')
      }
      expect(runs()).toBe(7)
    })

    test('a response to a request with Cookie is stored only if it says so; stored ones answer it', async () => {
      const { agent, runs } = await serve((req, res) => {
        res.set('Cache-Control', `${req.query.say ?? 'max-age=60'}`).send(req.headers.cookie ?? 'nobody')
      })
      await agent
        .get('/b')
        .set('Cookie', 'sid=1')
        .expect('sid=1')
        .expect('Cache-Status', /detail=cookie$/)
      await agent.get('/b').set('Cookie', 'sid=2').expect('sid=2')
      await agent.get('/').expect('nobody')
      await agent.get('/').set('Cookie', 'sid=1').expect('nobody').expect('Cache-Status', hit)
      await agent.get('/?say=s-maxage=60').set('Cookie', 'sid=1').expect('sid=1')
      await agent.get('/?say=s-maxage=60').set('Cookie', 'sid=2').expect('sid=1')
      expect(runs()).toBe(4)
    })

    test('a request with credentials that comes first keeps nothing from those without', async () => {
      const { agent, runs } = await serve((req, res) =>
        res.set('Cache-Control', 'max-age=60').send(req.headers.cookie ?? 'nobody'),
      )
      await agent.get('/').set('Cookie', 'sid=1').expect('sid=1')
      await agent.get('/').expect('nobody').expect('Cache-Status', 'tiercache; fwd=uri-miss; stored')
      await agent.get('/').expect('nobody').expect('Cache-Status', hit)
      expect(runs()).toBe(2)
    })

    test("cookies: 'ignore' lets requests with any cookies share one run of the handler", async () => {
      let finish = () => {}
      const { agent, runs } = await serve(
        (_, res) => {
          finish = () => res.set('Cache-Control', 'max-age=60').send('x')
        },
        { cookies: 'ignore' },
      )
      const requests = Array.from({ length: 10 }, (_, index) => agent.get('/').set('Cookie', `_ga=${index}`))
      const responses = Promise.all(requests.map((request) => request.expect(200)))
      await new Promise((resolve) => setTimeout(resolve, 200))
      finish()
      expect((await responses).map(({ text }) => text)).toEqual(Array(10).fill('x'))
      expect(runs()).toBe(1)
    })

    test("cookies: 'ignore' and 'bypass'", async () => {
      const route: Route = (_, res) => res.set('Cache-Control', 'max-age=60, public').send('x')
      const ignoring = await serve(route, { cookies: 'ignore' })
      for (const cookie of ['a=1', 'a=2']) await ignoring.agent.get('/').set('Cookie', cookie).expect('x')
      expect(ignoring.runs()).toBe(1)
      const passing = await serve(route, { cookies: 'bypass' })
      await passing.agent.get('/').expect('x')
      await passing.agent.get('/').set('Cookie', 'a=1').expect('Cache-Status', 'tiercache; fwd=bypass; detail=cookie')
      expect(passing.runs()).toBe(2)
    })

    test('a handler that hides credentials from itself does not make its response shareable', async () => {
      const { agent, runs } = await serve((req, res) => {
        const { authorization, cookie } = req.headers
        delete req.headers.authorization
        delete req.headers.cookie
        res.set('Cache-Control', 'max-age=60').send(authorization ?? cookie ?? 'nobody')
      })
      await agent.get('/').set('Authorization', 'Basic ada').expect('Basic ada')
      await agent.get('/').set('Cookie', 'sid=1').expect('sid=1')
      await agent.get('/').expect('nobody')
      expect(runs()).toBe(3)
    })
  })

  describe('Vary', () => {
    const greet: Route = (req, res) => {
      res.set({ 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' }).send(req.get('Accept-Language') ?? 'none')
    }

    test('one response per variant', async () => {
      const { agent, runs } = await serve(greet)
      for (let round = 0; round < 2; round++) {
        await agent.get('/').set('Accept-Language', 'en').expect('en')
        await agent.get('/').set('Accept-Language', 'de').expect('de')
        await agent.get('/').expect('none')
      }
      expect(runs()).toBe(3)
      await agent.get('/').set('Accept-Language', ' en ').expect('en').expect('Cache-Status', hit)
      await agent.get('/').set('Accept-Language', 'fr').expect('Cache-Status', 'tiercache; fwd=vary-miss; stored')
    })

    test('responses of one resource that vary by different fields', async () => {
      const { agent, runs } = await serve(
        (req, res) => {
          const by = req.get('X-By') === 'b' ? 'X-By, X-B' : 'X-By, X-A'
          res.set({ 'Cache-Control': 'max-age=60', Vary: by }).send(`${req.get('X-A')} ${req.get('X-B')}`)
        },
        { audit: 'warn' },
      )
      const ask = (by: string, a: string, b: string, text: string) =>
        agent.get('/').set({ 'X-By': by, 'X-A': a, 'X-B': b }).expect(text)
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      await ask('a', '2', '1', '2 1')
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '1', '1 1')
      const before = runs()
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      await ask('b', '1', '1', '1 1')
      await ask('a', '2', '1', '2 1')
      expect(runs()).toBeLessThanOrEqual(before + 2)
      const warm = runs()
      await ask('a', '1', '1', '1 1')
      await ask('b', '1', '2', '1 2')
      expect(runs()).toBe(warm)
    })

    test('a handler that changes its request fields does not change the variant', async () => {
      const { agent } = await serve((req, res, next) => {
        greet(req, res, next)
        req.headers['accept-language'] = 'xx'
      })
      await agent.get('/').set('Accept-Language', 'en').expect('en')
      await agent.get('/').set('Accept-Language', 'xx').expect('xx')
      await agent.get('/').set('Accept-Language', 'en').expect('en').expect('Cache-Status', hit)
    })
  })

  describe('collapsing', () => {
    test('100 cold requests run the handler once', async () => {
      const { hasty, runs } = await serve((_, res) => {
        setTimeout(() => res.set('Cache-Control', 'max-age=60').send('x'.repeat(5000)), 100)
      })
      const responses = await Promise.all(Array.from({ length: 100 }, () => hasty.get('/')))
      expect(runs()).toBe(1)
      expect(new Set(responses.map(({ text }) => text))).toEqual(new Set(['x'.repeat(5000)]))
      const statuses = responses.map(({ headers }) => headers['cache-status'])
      expect(statuses.filter((status) => status === 'tiercache; fwd=uri-miss; stored')).toHaveLength(1)
      expect(statuses.filter((status) => status === 'tiercache; fwd=uri-miss; collapsed')).not.toHaveLength(0)
    })

    test('so do 100 with Vary, one run per variant', async () => {
      const { hasty, runs } = await serve((req, res) => {
        setTimeout(() => res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-V' }).send(req.get('X-V')), 50)
      })
      const texts = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => (await hasty.get('/').set('X-V', `${n % 4}`)).text),
      )
      expect(runs()).toBe(4)
      expect(texts).toEqual(texts.map((_, n) => `${n % 4}`))
    })

    test('a route that does not know its answer yet releases all who wait by skip(): each has a run of its own', async () => {
      const polls: Response[] = []
      const { hasty } = await serve((_, res) => {
        res.cache.skip()
        polls.push(res)
      })
      const clients = [1, 2, 3].map(async () => (await hasty.get('/poll')).text)
      await until(() => polls.length === 3)
      for (const res of polls) res.send('an event')
      expect(await Promise.all(clients)).toEqual(['an event', 'an event', 'an event'])
    })

    test('a response that cannot be shared releases all who wait, at its head', async () => {
      let heads = 0
      const ends: (() => void)[] = []
      const { hasty, runs } = await serve((req, res) => {
        setTimeout(() => {
          heads++
          res.set('Cache-Control', 'private').write(`${req.get('X-User')}`)
          ends.push(() => res.end())
        }, 20)
      })
      const texts = Promise.all(
        Array.from({ length: 10 }, async (_, n) => (await hasty.get('/').set('X-User', `${n}`)).text),
      )
      await until(() => heads === 10)
      for (const end of ends) end()
      expect(await texts).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
      expect(runs()).toBe(10)
      // For some seconds nobody waits for such a resource.
      const after = heads
      const more = Promise.all(Array.from({ length: 3 }, (_, n) => hasty.get('/').set('X-User', `${n}`)))
      await until(() => heads === after + 3)
      for (const end of ends) end()
      await more
    })

    test('Set-Cookie of the leader reaches nobody else', async () => {
      let n = 0
      const { hasty } = await serve((_, res) => {
        const id = n++
        setTimeout(() => res.set('Cache-Control', 'public, max-age=60').cookie('sid', `${id}`).send(`${id}`), 20)
      })
      const responses = await Promise.all(Array.from({ length: 10 }, () => hasty.get('/')))
      const ids = responses.map(({ headers, text }) => `${headers['set-cookie']} ${text}`)
      expect(new Set(ids).size).toBe(10)
    })

    test('when the leader goes away, another one leads', async () => {
      const waiting: Response[] = []
      const { hasty, server, runs } = await serve((_, res) => {
        waiting.push(res)
        if (waiting.length > 1) res.set('Cache-Control', 'max-age=60').send('whole')
        else res.set({ 'Cache-Control': 'max-age=60', 'Content-Length': '100' }).write('half')
      })
      const leader = send(server, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      await until(() => waiting.length === 1)
      const host = '127.0.0.1'
      const followers = Array.from({ length: 5 }, () =>
        hasty
          .get('/')
          .set('Host', host)
          .then(({ text }) => text),
      )
      await settle()
      leader.destroy()
      expect(await Promise.all(followers)).toEqual(Array(5).fill('whole'))
      expect(runs()).toBe(2)
    })

    test('a leader that fails leaves nobody with an empty 200', async () => {
      let n = 0
      const { hasty, runs } = await serve((_, res, next) => {
        if (n++ === 0) setTimeout(() => next(Object.assign(new Error('no'), { status: 503, expose: true })), 30)
        else res.set('Cache-Control', 'max-age=60').send('good')
      })
      const responses = await Promise.all(Array.from({ length: 5 }, () => hasty.get('/')))
      expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 503])
      expect(responses.filter(({ text }) => text === 'good')).toHaveLength(4)
      // Who is late finds what another one has stored meanwhile.
      expect(runs()).toBeLessThanOrEqual(5)
    })

    test('a follower gets the answer to its own conditional', async () => {
      const { hasty, runs } = await serve((_, res) => {
        setTimeout(() => res.set({ 'Cache-Control': 'max-age=60', ETag: '"v1"' }).send('x'), 50)
      })
      const [plain, conditional] = await Promise.all([hasty.get('/'), hasty.get('/').set('If-None-Match', '"v1"')])
      expect([plain.status, conditional.status]).toEqual([200, 304])
      expect(runs()).toBe(1)
    })

    test('requests with cookies of their own share one run of a page that is for all', async () => {
      let finish = () => {}
      const { hasty, cache, runs } = await serve((_, res) => {
        finish = () => res.set('Cache-Control', 'public, max-age=60').send('for all')
      })
      const asked = Array.from({ length: 20 }, async (_, n) => (await hasty.get('/').set('Cookie', `_ga=${n}`)).text)
      await until(() => runs() === 1 && cache.counters.loadsWaiting === 20)
      finish()
      expect(await Promise.all(asked)).toEqual(Array(20).fill('for all'))
      expect(runs()).toBe(1)
    })

    test('a page that is of one who sent cookies lets all go who sent some, at its head; those without share another one', async () => {
      const begun: Response[] = []
      const { hasty, cache, runs } = await serve((req, res) => {
        begun.push(res)
        res.set('Cache-Control', 'max-age=60')
        if (begun.length > 1) res.send(req.get('Cookie') ?? 'for all')
      })
      const first = hasty
        .get('/')
        .set('Cookie', 'sid=1')
        .then(({ text }) => text)
      await until(() => runs() === 1)
      const users = [2, 3, 4].map(async (n) => (await hasty.get('/').set('Cookie', `sid=${n}`)).text)
      const others = [1, 2, 3].map(async () => (await hasty.get('/')).text)
      await until(() => cache.counters.loadsWaiting === 7)
      begun[0]?.write('sid=1')
      expect(await Promise.all(users)).toEqual(['sid=2', 'sid=3', 'sid=4'])
      expect(await Promise.all(others)).toEqual(Array(3).fill('for all'))
      expect(runs()).toBe(5)
      begun[0]?.end()
      expect(await first).toBe('sid=1')
    })

    test('Authorization waits for nobody', async () => {
      const gates: (() => void)[] = []
      const { hasty } = await serve((req, res) => {
        if (req.headers.authorization) return res.set('Cache-Control', 'max-age=60').send('mine')
        return gates.push(() => res.set('Cache-Control', 'max-age=60').send('all'))
      })
      const slow = hasty.get('/').then(({ text }) => text)
      await until(() => gates.length === 1)
      await hasty.get('/').set('Authorization', 'Basic ada').expect('mine')
      gates[0]?.()
      expect(await slow).toBe('all')
    })

    test('each handler runs in the async context of its own request', async () => {
      const storage = new AsyncLocalStorage<string>()
      const { hasty } = await serve(
        (_, res) => res.set('Cache-Control', 'private').send(storage.getStore()),
        {},
        (app) => app.use((req, _, next) => storage.run(`${req.get('X-User')}`, next)),
      )
      const texts = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => (await hasty.get('/').set('X-User', `${n}`)).text),
      )
      expect(texts).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    })
  })
})
