import { expect, test } from 'vitest'
import { Flights } from '../../src/cache/flights.ts'
import type { Listed } from '../../src/cache/flights.ts'

test('poison reaches the open flights of a key, but for one, and no others', () => {
  const flights = new Flights()
  const [first, second, other] = [flights.open('k', 0), flights.open('k', 0), flights.open('other', 0)]
  flights.poison('k', 'set', second)
  expect([first.poison, second.poison, other.poison]).toEqual(['set', undefined, undefined])
  flights.poisonAll('gap', () => true)
  expect([first.poison, second.poison, other.poison]).toEqual(['gap', 'gap', 'gap'])
})

test('a closed flight is not reached any more, and closing twice harms nobody', () => {
  const flights = new Flights()
  const [first, second] = [flights.open('k', 0), flights.open('k', 0)]
  flights.close(first)
  flights.close(first)
  flights.poison('k', 'delete')
  expect([first.poison, second.poison]).toEqual([undefined, 'delete'])
})

/** One in the list. */
function listed(id: string, isForLoad = false): Listed & { readonly ends: unknown[] } {
  const ends: unknown[] = []
  const reject = (error: unknown) => void ends.push(error)
  return { id, mark: 0, poison: undefined, isForLoad, previous: undefined, next: undefined, reject, ends }
}

test('those that were entered are poisoned by their keys, until they leave, in whatever order', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    const flights = new Flights()
    const all = [listed('k'), listed('other'), listed('k')]
    for (const each of all) flights.enter(each)
    for (const place of order) {
      const each = all[place] as Listed
      flights.poison(each.id, `until ${place} leaves`)
      expect(each.poison).toBe(`until ${place} leaves`)
      flights.leave(each)
      flights.poison(each.id, 'too late')
      expect(each.poison).toBe(`until ${place} leaves`)
    }
  }
})

test('all of a bucket are poisoned at once, those that were entered too', () => {
  const flights = new Flights()
  const [one, other, opened] = [listed('one'), listed('other'), flights.open('one', 0)]
  flights.enter(one)
  flights.enter(other)
  flights.poisonAll('gap', (id) => id === 'one')
  expect([one.poison, other.poison, opened.poison]).toEqual(['gap', undefined, 'gap'])
})

test('those who wait for a load of a key are counted', () => {
  const flights = new Flights()
  for (const each of [listed('k', true), listed('k'), listed('k', true), listed('other', true)]) flights.enter(each)
  expect([flights.waitingFor('k'), flights.waitingFor('none')]).toEqual([2, 0])
})

test('all that were entered have left when the last one has', async () => {
  const flights = new Flights()
  await flights.left()
  const all = [listed('a'), listed('b')]
  for (const each of all) flights.enter(each)
  let hasLeft = false
  const left = flights.left().then(() => {
    hasLeft = true
  })
  flights.leave(all[0] as Listed)
  await Promise.resolve()
  expect(hasLeft).toBe(false)
  flights.leave(all[1] as Listed)
  await left
})

test('the calls of all that were entered can be ended', () => {
  const flights = new Flights()
  const all = [listed('a'), listed('b')]
  for (const each of all) flights.enter(each)
  flights.leave(all[0] as Listed & { ends: unknown[] })
  flights.reject('closed')
  expect(all.map(({ ends }) => ends)).toEqual([[], ['closed']])
})
