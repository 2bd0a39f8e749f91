import { expect } from 'vitest'
import { clause } from './clause.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }

clause('RFC 10008 §2.7 the cache key of a QUERY MUST incorporate its content', async (world) => {
  world.app(({ body }) => ({ fields: FRESH, body: `answer to ${body}` }))
  for (const body of ['one', 'two', 'one', 'two']) {
    const got = await world.ask({ method: 'QUERY', body, fields: { 'Content-Type': 'text/plain' } })
    expect(got.body).toBe(`answer to ${body}`)
  }
  expect(world.seen.map(({ body }) => body)).toEqual(['one', 'two'])
})

clause('RFC 10008 §2.7 … and related metadata', async (world) => {
  world.app({ fields: FRESH })
  for (const type of ['text/plain', 'text/csv', 'text/plain'])
    await world.ask({ method: 'QUERY', body: 'q', fields: { 'Content-Type': type } })
  expect(world.seen.length).toBe(2)
})

clause('RFC 10008 §2.7 an answer to QUERY is none to GET, nor the other way about', async (world) => {
  world.app(({ method }) => ({ fields: FRESH, body: method }))
  const query = { method: 'QUERY', body: '', fields: { 'Content-Type': 'text/plain' } }
  expect((await world.ask(query)).body).toBe('QUERY')
  expect((await world.get()).body).toBe('GET')
  expect((await world.ask(query)).body).toBe('QUERY')
  expect(world.seen.length).toBe(2)
})

clause('RFC 9111 §4.4 an unsafe request makes answers to QUERY invalid, which is safe itself', async (world) => {
  world.app({ fields: FRESH })
  const query = { method: 'QUERY', body: 'q', fields: { 'Content-Type': 'text/plain' } }
  await world.get()
  await world.ask(query)
  await world.get()
  expect(world.seen.length).toBe(2)
  await world.ask({ method: 'PATCH', body: 'x' })
  await world.ask(query)
  expect(world.seen.length).toBe(4)
})
