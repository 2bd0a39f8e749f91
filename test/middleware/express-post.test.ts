import { expect, test } from 'vitest'
import { describeExpress } from './express-app.ts'
import type { Route } from './express-app.ts'

const METHOD = 'tiercache; fwd=method'

/** A page that a GET tells as `get`, and a POST as `post`, with its own URL as Content-Location. */
const page: Route = (req, res) => {
  if (req.method === 'POST') res.set('Content-Location', '/a')
  res.set('Cache-Control', 'max-age=60').send(req.method.toLowerCase())
}

describeExpress(({ hit, serve }) => {
  test('the answer to a POST answers the GETs behind it (RFC 9110, section 9.3.3)', async () => {
    const { agent, runs } = await serve(page, { storePost: true })
    await agent.get('/a').expect(200, 'get')
    await agent.post('/a').expect(200, 'post').expect('Cache-Status', `${METHOD}; stored`)
    await agent.get('/a').expect(200, 'post').expect('Cache-Status', hit).expect('Content-Location', '/a')
    await agent.head('/a').expect(200).expect('Cache-Status', hit)
    expect(runs()).toBe(2)
    await agent.post('/a').expect(200, 'post')
    expect(runs()).toBe(3)
  })

  test('one that does not stand for the page makes it invalid', async () => {
    const { agent, runs } = await serve(
      (req, res) => {
        if (req.method === 'GET') page(req, res, () => {})
        else res.set(req.query as Record<string, string>).send('post')
      },
      { storePost: true },
    )
    const answers = [
      {},
      { 'cache-control': 'max-age=60' },
      { 'content-location': '/a' },
      { 'content-location': '/b', 'cache-control': 'max-age=60' },
      { 'content-location': '/a', 'cache-control': 'no-store' },
      { 'content-location': '/a', 'cache-control': 'max-age=60', 'set-cookie': 'a=1' },
      { 'content-location': '/a', 'cache-control': 'max-age=60', vary: 'accept' },
    ]
    for (const answer of answers) {
      const target = `/a?${new URLSearchParams(answer)}`
      await agent.get(target).expect(200, 'get')
      await agent.post(target).expect(200, 'post')
      const before = runs()
      await agent.get(target).expect(200, 'get')
      expect(runs(), target).toBe(before + 1)
    }
  })

  test('without the option none does', async () => {
    const { agent } = await serve(page)
    await agent.post('/a').expect(200, 'post').expect('Cache-Status', METHOD)
    await agent.get('/a').expect(200, 'get')
  })

  test('what another request makes invalid while the POST goes on is not stored', async () => {
    const reads = deferred()
    const goes = deferred()
    const { agent, hasty } = await serve(
      async (req, res) => {
        if (req.method === 'PUT') return res.sendStatus(204)
        if (req.method === 'POST') {
          reads.resolve()
          await goes.promise
        }
        return page(req, res, () => {})
      },
      { storePost: true },
    )
    const posted = hasty.post('/a').then((response) => response)
    await reads.promise
    await hasty.put('/a').expect(204)
    goes.resolve()
    expect((await posted).text).toBe('post')
    await agent.get('/a').expect(200, 'get')
  })

  test('so with two POSTs at once: the first to end makes the other’s answer invalid, and neither stands', async () => {
    const began = [deferred(), deferred()] as const
    const goes = [deferred(), deferred()] as const
    let posts = 0
    const { agent, hasty } = await serve(
      async (req, res) => {
        if (req.method !== 'POST') return page(req, res, () => {})
        const number = posts++ as 0 | 1
        began[number].resolve()
        await goes[number].promise
        return page(req, res, () => {})
      },
      { storePost: true },
    )
    const first = hasty.post('/a').then((response) => response)
    await began[0].promise
    const second = hasty.post('/a').then((response) => response)
    await began[1].promise
    goes[1].resolve()
    await second
    goes[0].resolve()
    await first
    await agent.get('/a').expect(200, 'get')
  })

  test('an answer that is cut off makes the page invalid', async () => {
    const { agent, hasty } = await serve(
      (req, res) => {
        if (req.method === 'GET') return page(req, res, () => {})
        return res
          .set({ 'Content-Location': '/a', 'Cache-Control': 'max-age=60', 'Content-Length': '9' })
          .write('post', () => res.destroy())
      },
      { storePost: true },
    )
    await agent.get('/a').expect(200, 'get')
    await expect(hasty.post('/a')).rejects.toThrow()
    // Nothing holds a client back that is cut off: it may ask again before the page is gone.
    await expect
      .poll(async () => (await agent.get('/a').expect(200, 'get')).headers['cache-status'], { timeout: 10_000 })
      .toMatch(/^tiercache; fwd=uri-miss; stored/)
  })
})

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}
