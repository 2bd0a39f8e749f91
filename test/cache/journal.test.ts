import { expect, test } from 'vitest'
import type { Invalidation } from '../../src/cache/journal.ts'
import { everything, JOURNAL_MOST, Journal } from '../../src/cache/journal.ts'

const key = (id: string): Invalidation => ({ kind: 'key', id, address: { namespace: '_', key: id } })

test('what was added fences its key, or all keys of its namespace, until it is acknowledged', () => {
  const journal = new Journal()
  const [a, users] = [
    { number: journal.next(), invalidation: key('a') },
    { number: journal.next(), invalidation: { kind: 'namespace', group: 'k:users', namespace: 'users' } as const },
  ]
  journal.add(a)
  journal.add(users)
  expect([journal.fences('a', ['k:_']), journal.fences('b', ['k:_'])]).toEqual([true, false])
  expect(journal.fences('b', ['k:_', 'k:users', 'k:users.old'])).toBe(true)
  expect(journal.list()).toEqual([a, users])
  journal.acknowledge(a)
  journal.acknowledge(users)
  expect([journal.fences('a', ['k:_']), journal.size]).toEqual([false, 0])
})

test('an acknowledgement of an earlier call does not remove a later one; of a later one it removes the earlier', () => {
  const journal = new Journal()
  const [first, second, third] = [1, 2, 3].map(() => ({ number: journal.next(), invalidation: key('k') }))
  if (!first || !second || !third) throw new Error('three entries were made')
  journal.add(first)
  journal.add(second)
  journal.acknowledge(first)
  expect(journal.fences('k', ['k:_'])).toBe(true)
  journal.acknowledge(third)
  expect(journal.fences('k', ['k:_'])).toBe(false)
})

test('calls that fail in another order than they were made in: the latest is what must be acknowledged', () => {
  const journal = new Journal()
  const [first, second, third] = [1, 2, 3].map(() => ({ number: journal.next(), invalidation: key('k') }))
  if (!first || !second || !third) throw new Error('three entries were made')
  journal.add(third)
  journal.add(first)
  journal.acknowledge(second)
  expect(journal.fences('k', ['k:_'])).toBe(true)
  journal.acknowledge(third)
  expect(journal.size).toBe(0)
})

test('beyond its bound it becomes one clear of everything', () => {
  const journal = new Journal()
  for (let index = 0; index <= JOURNAL_MOST; index++) {
    journal.add({ number: journal.next(), invalidation: key(`k${index}`) })
  }
  expect(journal.list()).toEqual([{ number: JOURNAL_MOST + 1, invalidation: everything }])
  expect(journal.fences('anything', ['k:_'])).toBe(true)
})
