import { expect, test } from 'vitest'
import { Flights } from '../../src/cache/flights.ts'

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
