import { expect, test } from 'vitest'
import { inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedManyLoader } from '../doubles/scripted-many-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const

inFleets((fleet) => {
  /** Both keys are stale, and a caller waits for newer values, which are being loaded. */
  async function waitedForTogether() {
    const { cache } = await fleet.process()
    const loader = new ScriptedManyLoader<string>()
    await cache.setMany({ a: 'old', b: 'old' }, kept)
    await cache.expire('a')
    await cache.expire('b')
    await fleet.elapse(1000)
    const values = cache.getOrSetMany(['a', 'b'], loader.load, { ...kept, softTimeout: '1s' })
    await loader.running()
    return { cache, loader, values }
  }

  test('a caller leaves by its signal: the loader of the batch is aborted when nobody waits for any of its keys', async () => {
    const { cache } = await fleet.process()
    const loader = new ScriptedManyLoader<string>()
    const other = new ScriptedManyLoader<string>()
    const [first, second] = [new AbortController(), new AbortController()]
    const values = cache.getOrSetMany(['a', 'b'], loader.load, { signal: first.signal })
    await loader.running()
    const joined = cache.getOrSetMany(['b'], other.load, { signal: second.signal })
    await turn()
    const { signal } = loader.context
    const failed = expect(values).rejects.toThrow('gone')
    const failedToo = expect(joined).rejects.toThrow('gone too')
    first.abort(new Error('gone'))
    await failed
    expect(signal.aborted).toBe(false)
    second.abort(new Error('gone too'))
    await failedToo
    expect(signal.aborted).toBe(true)
    expect(other.asked).toEqual([])
    loader.answer(() => 'late')
  })

  test('softTimeout: stale values are waited for together, and loaded at once', async () => {
    const { loader, values } = await waitedForTogether()
    expect(loader.asked).toEqual([['a', 'b']])
    loader.answer(() => 'new')
    expect(Object.fromEntries(await values)).toEqual({ a: 'new', b: 'new' })
  })

  test('softTimeout: what takes longer is served stale', async () => {
    const { cache, loader, values } = await waitedForTogether()
    await fleet.elapse(1001)
    expect(Object.fromEntries(await values)).toEqual({ a: 'old', b: 'old' })
    loader.answer(() => 'new')
    await turn()
    await turn()
    expect(Object.fromEntries(await cache.getMany(['a', 'b']))).toEqual({ a: 'new', b: 'new' })
    expect(loader.asked).toHaveLength(1)
  })
})
