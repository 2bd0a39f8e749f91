import { expect, test } from 'vitest'
import type { Invalidation } from '../../src/cache/journal.ts'
import { RecentInvalidations } from '../../src/cache/recent-invalidations.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

const key = (id: string): Invalidation => ({ kind: 'key', id, address: { namespace: '_', key: id } })
const tag = (name: string): Invalidation => ({ kind: 'tag', group: `t:${name}`, tag: name })

function started() {
  const clock = new FakeClock()
  return { clock, recent: new RecentInvalidations(clock, 1) }
}

test('what was heard or acknowledged within the last minute is to be repeated, each once', () => {
  const { clock, recent } = started()
  recent.acknowledged(key('old'))
  clock.advance(30_000)
  recent.heard(0, 7, key('a'))
  recent.heard(0, 8, key('t:x'))
  recent.heard(0, 9, tag('x'))
  recent.acknowledged(key('a'))
  clock.advance(30_001)
  expect(recent.lost([0], undefined)).toEqual([key('t:x'), tag('x'), key('a')])
  clock.advance(30_000)
  expect(recent.lost([0], undefined)).toEqual([])
})

const hears = (numbers: number[]) => (recent: RecentInvalidations) => {
  for (const n of numbers) recent.heard(0, n, key(`k${n}`))
}

test('all links that were lost are known: they are repeated', () => {
  const { recent } = started()
  hears([5, 6, 7])(recent)
  expect(recent.lost([0], { after: 4, until: 7 })).toHaveLength(3)
})

test('links of the other chain that come before the loss is found do not make it forget', () => {
  const { recent } = started()
  hears([5, 6, 7, 5, 6])(recent)
  expect(recent.lost([0], { after: 4, until: 7 })).toEqual([7, 5, 6].map((n) => key(`k${n}`)))
})

test('after a loss the numbers begin anew', () => {
  const { recent } = started()
  hears([5, 6, 7])(recent)
  recent.lost([0], { after: 4, until: 7 })
  hears([5, 6])(recent)
  expect(recent.lost([0], { after: 4, until: 6 })).toHaveLength(3)
})

test.each<[string, (recent: RecentInvalidations, clock: FakeClock) => void]>([
  ['none was heard', () => {}],
  ['the first of them was not heard', hears([6, 7])],
  ['one in between was not heard', hears([5, 7])],
  ['the last was not heard', hears([5, 6])],
  [
    'the first is older than a minute',
    (recent, clock) => {
      recent.heard(0, 5, key('k5'))
      clock.advance(60_001)
      recent.heard(0, 6, key('k6'))
      recent.heard(0, 7, undefined)
    },
  ],
])('%s: everything is to be repeated', (_name, tell) => {
  const { clock, recent } = started()
  tell(recent, clock)
  expect(recent.lost([0], { after: 4, until: 7 })).toBe('everything')
})

test('what was told in several buckets has its number in each: when it is forgotten, none of them is known', () => {
  const clock = new FakeClock()
  const recent = new RecentInvalidations(clock, 2)
  recent.heard(0, 5, tag('x'))
  recent.heard(1, 9, tag('x'))
  clock.advance(60_001)
  expect(recent.lost([0], { after: 4, until: 5 })).toBe('everything')
  expect(recent.lost([1], { after: 8, until: 9 })).toBe('everything')
})

test('more than can be kept: everything, for a minute', () => {
  const { clock, recent } = started()
  for (let n = 1; n <= 10_001; n++) recent.heard(0, n, key(`k${n}`))
  expect(recent.lost([0], undefined)).toBe('everything')
  clock.advance(60_001)
  expect(recent.lost([0], undefined)).toEqual([])
})

test('a loss of nobody knows what leaves the numbers as they are: the chain may turn out to have gone back, too', () => {
  const { recent } = started()
  hears([5, 6, 7])(recent)
  recent.lost([0], undefined)
  expect(recent.lost([0], { after: 4, until: 7 })).toHaveLength(3)
})
