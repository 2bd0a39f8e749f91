import { expect } from 'vitest'
import { clause } from './clause.ts'

clause(
  '§5.1 of a list-based Age the first member SHOULD be used',
  { http1Because: 'HTTP/2 of Node sends one Age' },
  async (world) => {
    for (const Age of ['5, 50', ['5', '50'], '5 , 50']) {
      world.app({ fields: { 'Cache-Control': 'max-age=60', Age } })
      const below = `/${String(Age).replaceAll(/[^\d]/g, '-')}${typeof Age}`
      await world.get({}, below)
      expect((await world.get({}, below)).lines('age'), String(Age)).toEqual(['5'])
    }
  },
)

clause('§5.1 an invalid Age SHOULD be ignored', async (world) => {
  for (const [at, Age] of ['-5', 'abc', '5.5', '', 'x, 5', '0x5', '5 0', '+5', '"5"'].entries()) {
    world.app({ fields: { 'Cache-Control': 'max-age=60', Age } })
    await world.get({}, `/${at}`)
    const got = await world.get({}, `/${at}`)
    expect([got.says('hit'), got.lines('age')], Age).toEqual([true, ['0']])
  }
})

clause('§5.1 an Age that cannot be represented is very old, not young', async (world) => {
  expect(await world.stores({ 'Cache-Control': 'max-age=60', Age: '9'.repeat(30) })).toBe(false)
})

clause('§5.1 Age is a non-negative integer of seconds', async (world) => {
  world.app({ fields: { 'Cache-Control': 'max-age=2147483648' } })
  await world.get()
  expect((await world.get()).field('age')).toBe('0')
  world.pass(86_400)
  expect((await world.get()).field('age')).toBe('86400')
})

clause('§5.1 a response that the application made for this request has no Age of ours', async (world) => {
  world.app({ fields: { 'Cache-Control': 'no-store' } })
  expect((await world.get()).field('age')).toBeUndefined()
  world.app({ fields: { 'Cache-Control': 'max-age=60' } })
  expect((await world.get({}, '/new')).field('age')).toBeUndefined()
})

clause('§5.1 an Age of the application is passed on with a response that is not stored', async (world) => {
  world.app({ fields: { 'Cache-Control': 'no-store', Age: '7' } })
  expect((await world.get()).lines('age')).toEqual(['7'])
})
