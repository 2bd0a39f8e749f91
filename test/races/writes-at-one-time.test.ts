import { expect, test } from 'vitest'
import { inEveryForm } from '../doubles/caches.ts'

/** Two writes of one process that are both under way: the one that was called later holds when both are acknowledged. */
inEveryForm((kit) => {
  test.each(['set then set', 'delete then set', 'clear then set', 'tag then set'])('%s', async (order) => {
    const cache = await kit.make()
    await cache.set('k', 'before', { tags: ['t'] })
    const first = {
      'set then set': () => cache.set('k', 'first'),
      'delete then set': () => cache.delete('k'),
      'clear then set': () => cache.clear(),
      'tag then set': () => cache.invalidateTags('t'),
    }[order]
    const outcomes = await Promise.all([first?.(), cache.set('k', 'second', { tags: ['t'] })])
    expect(outcomes).toEqual([{ acknowledged: true }, { acknowledged: true }])
    expect(await cache.get('k')).toBe('second')
  })

  test('set then delete', async () => {
    const cache = await kit.make()
    await Promise.all([cache.set('k', 'first'), cache.delete('k')])
    expect(await cache.get('k')).toBeUndefined()
  })
})
