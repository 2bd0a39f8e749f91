import { expect, test } from 'vitest'
import { Gathering } from '../../src/cache/gathering.ts'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { FakeClock } from '../doubles/fake-clock.ts'
import { ScriptedManyLoader } from '../doubles/scripted-many-loader.ts'

function setup() {
  const clock = new FakeClock()
  const loader = new ScriptedManyLoader<string>()
  const gathering = new Gathering(loader.load, clock)
  let places = 0
  const place = () => gathering.place(places++)
  return { clock, loader, place, tick: () => new Promise<void>((resolve) => setImmediate(resolve)) }
}

const contextOf = (key: string, signal = new AbortController().signal): LoadContext => ({
  key,
  signal,
  setTtl() {},
  setStale() {},
  setTags() {},
  stale: undefined,
  notModified: () => undefined as never,
  skip() {},
})

test('the loader runs when the last key has asked', async () => {
  const { loader, place, tick } = setup()
  const [a, b] = [place(), place()]
  const valueOfA = a.load(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([])
  const valueOfB = b.load(contextOf('b'))
  await tick()
  expect(loader.asked).toEqual([['a', 'b']])
  loader.answer((key) => key.toUpperCase())
  expect(await Promise.all([valueOfA, valueOfB])).toEqual(['A', 'B'])
})

test('it does not run for those who wait, or need nothing; it runs again for who goes on', async () => {
  const { loader, place, tick } = setup()
  const [a, b, c] = [place(), place(), place()]
  void a.load(contextOf('a'))
  b.waits()
  await tick()
  expect(loader.asked).toEqual([])
  c.leaves()
  await tick()
  expect(loader.asked).toEqual([['a']])
  b.goesOn()
  void b.load(contextOf('b'))
  await tick()
  expect(loader.asked).toEqual([['a'], ['b']])
})

test('who goes on is waited for, like any other', async () => {
  const { loader, place, tick } = setup()
  const [a, b] = [place(), place()]
  b.waits()
  b.goesOn()
  void a.load(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([])
  b.leaves()
  await tick()
  expect(loader.asked).toEqual([['a']])
})

test('nobody asks: no loader runs', async () => {
  const { loader, place, tick } = setup()
  place().leaves()
  await tick()
  expect(loader.asked).toEqual([])
})

test('waits that end within a moment of each other lead to one load', async () => {
  const { clock, loader, place, tick } = setup()
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(() => place())
  b?.waits(clock.now() + 1000)
  c?.waits(clock.now() + 1005)
  d?.waits(clock.now() + 1010)
  e?.waits(clock.now() + 2000)
  void a?.load(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([['a']])
  clock.advance(1000)
  b?.goesOn()
  void b?.load(contextOf('b'))
  await tick()
  clock.advance(5)
  c?.goesOn()
  void c?.load(contextOf('c'))
  await tick()
  expect(loader.asked).toEqual([['a']])
  d?.leaves()
  await tick()
  expect(loader.asked).toEqual([['a'], ['b', 'c']])
})

test('the first load waits for no wait', async () => {
  const { clock, loader, place, tick } = setup()
  const [a, b] = [place(), place()]
  b.waits(clock.now() + 1)
  void a.load(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([['a']])
})

test('what is renewed behind is loaded apart, when all others have come to rest', async () => {
  const { loader, place, tick } = setup()
  const [a, b, c] = [place(), place(), place()]
  const behind = [a.behind(), b.behind()]
  a.leaves()
  b.leaves()
  for (const [index, { loader: load }] of behind.entries()) void load(contextOf(`${index}`))
  await tick()
  expect(loader.asked).toEqual([])
  void c.load(contextOf('c'))
  await tick()
  expect(loader.asked).toEqual([['c'], ['0', '1']])
})

test('who waits for its own renewal does not hold that up', async () => {
  const { loader, place, tick } = setup()
  const renewal = place().behind()
  void renewal.loader(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([['a']])
})

test('a key that asks twice gets an answer twice; one whose caller has left gets one, too', async () => {
  const { loader, place, tick } = setup()
  const [a, b] = [place(), place()]
  a.leaves()
  const values = [a.load(contextOf('a')), b.load(contextOf('b')), a.load(contextOf('a'))]
  await tick()
  expect(loader.asked).toEqual([['a', 'b']])
  loader.answer((key) => key)
  expect(await Promise.all(values)).toEqual(['a', 'b', 'a'])
})

test('the signal is aborted when all loads are, with the reason of the last', async () => {
  const { loader, place, tick } = setup()
  const aborts = [new AbortController(), new AbortController(), new AbortController()]
  const places = aborts.map(() => place())
  places.forEach((each, index) => void each.load(contextOf(`${index}`, aborts[index]?.signal)))
  await tick()
  aborts[0]?.abort('before it is looked at')
  const { signal } = loader.context
  aborts[1]?.abort('second')
  expect(signal.aborted).toBe(false)
  aborts[2]?.abort('last')
  expect(signal.reason).toBe('last')
})

test('what nobody wants any more is not loaded', async () => {
  const { loader, place, tick } = setup()
  const [a, b, c] = [place(), place(), place()]
  const gone = new AbortController()
  const left = [a.load(contextOf('a', gone.signal)), b.load(contextOf('b', gone.signal))]
  gone.abort('gone')
  c.waits()
  expect(await Promise.allSettled(left)).toEqual([
    { status: 'rejected', reason: 'gone' },
    { status: 'rejected', reason: 'gone' },
  ])
  expect(loader.asked).toEqual([])
  c.goesOn()
  const tooLate = Promise.resolve(b.load(contextOf('b', gone.signal)))
  const refused = expect(tooLate).rejects.toBe('gone')
  void c.load(contextOf('c'))
  await tick()
  await refused
  expect(loader.asked).toEqual([['c']])
})

test('the loader is given the keys in the order of the call, whoever asked first', async () => {
  const { loader, place, tick } = setup()
  const [a, b, c] = [place(), place(), place()]
  const [renewalOfA, renewalOfB] = [a.behind(), b.behind()]
  void c.load(contextOf('c'))
  void b.load(contextOf('b'))
  void a.load(contextOf('a'))
  void renewalOfB.loader(contextOf('b'))
  void renewalOfA.loader(contextOf('a'))
  await tick()
  expect(loader.asked).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b'],
  ])
})
