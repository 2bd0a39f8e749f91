import { expect, test } from 'vitest'
import type { Invalidation } from '../../src/cache/journal.ts'
import { everything, JOURNAL_MOST, Journal } from '../../src/cache/journal.ts'
import { bucketOf } from '../../src/entry/key.ts'

const BUCKETS = 4

const key = (id: string): Invalidation => ({ kind: 'key', id, address: { namespace: '_', key: id } })

test('what was added fences its key, or all keys of its namespace, until it is acknowledged', () => {
  const journal = new Journal(BUCKETS)
  const [a, users] = [
    { number: journal.next(), invalidation: key('a') },
    { number: journal.next(), invalidation: { kind: 'namespace', group: 'k:users', namespace: 'users' } as const },
  ]
  journal.add(a)
  journal.add(users)
  expect([journal.fences('a', ['k:_'], 0), journal.fences('b', ['k:_'], 0)]).toEqual([true, false])
  expect(journal.fences('b', ['k:_', 'k:users', 'k:users.old'], 0)).toBe(true)
  expect(journal.list()).toEqual([a, users])
  journal.acknowledge(a)
  journal.acknowledge(users)
  expect([journal.fences('a', ['k:_'], 0), journal.size]).toEqual([false, 0])
})

test('an acknowledgement of an earlier call does not remove a later one; of a later one it removes the earlier', () => {
  const journal = new Journal(BUCKETS)
  const [first, second, third] = [1, 2, 3].map(() => ({ number: journal.next(), invalidation: key('k') }))
  if (!first || !second || !third) throw new Error('three entries were made')
  journal.add(first)
  journal.add(second)
  journal.acknowledge(first)
  expect(journal.fences('k', ['k:_'], 0)).toBe(true)
  journal.acknowledge(third)
  expect(journal.fences('k', ['k:_'], 0)).toBe(false)
})

test('calls that fail in another order than they were made in: the latest is what must be acknowledged', () => {
  const journal = new Journal(BUCKETS)
  const [first, second, third] = [1, 2, 3].map(() => ({ number: journal.next(), invalidation: key('k') }))
  if (!first || !second || !third) throw new Error('three entries were made')
  journal.add(third)
  journal.add(first)
  journal.acknowledge(second)
  expect(journal.fences('k', ['k:_'], 0)).toBe(true)
  journal.acknowledge(third)
  expect(journal.size).toBe(0)
})

test('beyond its bound it becomes one clear of everything', () => {
  const journal = new Journal(1)
  for (let index = 0; index <= JOURNAL_MOST; index++) {
    journal.add({ number: journal.next(), invalidation: key(`k${index}`) })
  }
  expect(journal.list()).toEqual([{ number: JOURNAL_MOST + 1, invalidation: everything }])
  expect(journal.fences('anything', ['k:_'], 0)).toBe(true)
})

test('beyond its bound it clears the buckets of what it held, and no others; again and again', () => {
  const journal = new Journal(BUCKETS)
  const idsOf = (bucket: number) =>
    Array.from({ length: 10 * JOURNAL_MOST }, (_, index) => `k${index}`).filter(
      (id) => bucketOf(id, BUCKETS) === bucket,
    )
  const owe = (invalidation: Invalidation) => journal.add({ number: journal.next(), invalidation })
  const overflow = (bucket: number) => {
    for (const id of idsOf(bucket).slice(0, JOURNAL_MOST)) owe(key(id))
  }
  const fenced = () => [0, 1, 2, 3].filter((bucket) => journal.fences('anything', ['k:_'], bucket))
  owe({ kind: 'tag', group: 't:x', tag: 'x', buckets: [2] })
  overflow(1)
  expect([journal.size, fenced()]).toEqual([1, [1, 2]])
  overflow(3)
  expect([journal.size, fenced()]).toEqual([1, [1, 2, 3]])
  // What is owed to all buckets makes the next clear one of all.
  owe({ kind: 'tag', group: 't:x', tag: 'x' })
  overflow(3)
  expect(journal.list()[0]).toEqual({ number: expect.any(Number), invalidation: everything })
})

test('a group is fenced and repeated where it is owed: in some buckets, in those of several calls, or in all', () => {
  const journal = new Journal(BUCKETS)
  const inBuckets = (buckets?: readonly number[]): Invalidation => ({ kind: 'tag', group: 't:x', tag: 'x', buckets })
  const fenced = () => [0, 1, 2].filter((bucket) => journal.fences('k', ['t:x'], bucket))
  journal.add({ number: journal.next(), invalidation: inBuckets([1]) })
  expect(fenced()).toEqual([1])
  journal.add({ number: journal.next(), invalidation: inBuckets([2]) })
  expect(fenced()).toEqual([1, 2])
  const [owed] = journal.list()
  if (!owed) throw new Error('something is owed')
  journal.narrow(owed, inBuckets([2]))
  expect(fenced()).toEqual([2])
  // Another call has come since it was listed: nothing of that is taken away.
  journal.add({ number: journal.next(), invalidation: inBuckets() })
  journal.narrow(owed, inBuckets([2]))
  journal.acknowledge(owed)
  expect(fenced()).toEqual([0, 1, 2])
  journal.acknowledge({ number: journal.next(), invalidation: inBuckets() })
  expect(fenced()).toEqual([])
})

test('an acknowledgement ends what is owed to its buckets, and not what has come to be owed to others meanwhile', () => {
  const journal = new Journal(BUCKETS)
  const inBuckets = (buckets?: readonly number[]): Invalidation => ({ kind: 'tag', group: 't:x', tag: 'x', buckets })
  const fenced = () => [0, 1, 2].filter((bucket) => journal.fences('k', ['t:x'], bucket))
  const failing = journal.next()
  journal.add({ number: journal.next(), invalidation: inBuckets([1]) })
  const [sent] = journal.list()
  if (!sent) throw new Error('something is owed')
  journal.add({ number: failing, invalidation: inBuckets([2]) })
  expect(journal.acknowledge(sent)).toBe(false)
  expect(fenced()).toEqual([2])
  expect(journal.acknowledge({ number: journal.next(), invalidation: inBuckets() })).toBe(true)
  expect(fenced()).toEqual([])
})
