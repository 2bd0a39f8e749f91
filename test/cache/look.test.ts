import { expect, test } from 'vitest'
import type { HeldCall } from '../doubles/chaos.ts'
import type { Fleet, Process } from '../doubles/fleet.ts'
import { inFleets } from '../doubles/fleet.ts'

const fail = () => {
  throw new Error('a hit was expected')
}

/** Two processes, of which the first has stored a value that the second has not read. */
async function stored(fleet: Fleet): Promise<[a: Process, b: Process]> {
  const [a, b] = [await fleet.process(), await fleet.process()]
  await a.cache.set('k', 'v')
  return [a, b]
}

/** So many reads of L2 are carried out, and their answers held back. */
function holdReads({ far }: Process, count: number): HeldCall[] {
  return Array.from({ length: count }, () => far.holdAnswer('get'))
}

inFleets((fleet) => {
  test('who waits for L2 is counted where a load may follow, until it answers', async () => {
    const [, b] = await stored(fleet)
    const held = holdReads(b, 3)
    const calls = [b.cache.getOrSet('k', fail), b.cache.getOrSet('k', fail), b.cache.get('k')]
    await Promise.all(held.map(({ arrived }) => arrived))
    expect((await b.cache.inspect('k')).load.waiting).toBe(2)
    expect(b.cache.counters.loadsWaiting).toBe(2)
    for (const each of held) each.release()
    expect(await Promise.all(calls)).toEqual(['v', 'v', 'v'])
    expect((await b.cache.inspect('k')).load.waiting).toBe(0)
    expect(b.cache.counters.loadsWaiting).toBe(0)
    // What was heard for the first time may have emptied L1 meanwhile.
    await expect.poll(() => b.cache.get('k').then(() => b.cache.peek('k'))).toBe('v')
  })

  test('options are read when there is something to load', async () => {
    const [, b] = await stored(fleet)
    const bad = { ttl: -1 }
    expect(await b.cache.getOrSet('k', fail, bad)).toBe('v')
    await expect(b.cache.getOrSet('none', fail, bad)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect(b.cache.counters).toMatchObject({ loadsWaiting: 0, loadsRunning: 0 })
  })

  test('those that a fresh value depends on are heeded', async () => {
    const [, b] = await stored(fleet)
    const signal = AbortSignal.abort('gone')
    await expect(b.cache.getOrSet('k', fail, { signal })).rejects.toBe('gone')
    expect(await b.cache.getOrSet('k', fail, { l1Ttl: 0 })).toBe('v')
    expect(b.cache.peek('k')).toBeUndefined()
    await expect(b.cache.getOrSet('k', fail, { tiers: 'l1' })).rejects.toThrow('a hit was expected')
  })

  test('options that are none are refused when there is something to load', async () => {
    const [, b] = await stored(fleet)
    const none = null as unknown as undefined
    expect(await b.cache.getOrSet('k', fail, none)).toBe('v')
    await expect(b.cache.getOrSet('none', fail, none)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })

  test('where L2 fails, a call that loads does, and another one finds nothing', async () => {
    const [, b] = await stored(fleet)
    const heal = b.far.failing('get')
    expect(await b.cache.get('k')).toBeUndefined()
    expect(await b.cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    heal()
  })

  test('what was made another one while L2 was asked is answered, and not kept', async () => {
    const [a, b] = await stored(fleet)
    const [held] = holdReads(b, 1) as [HeldCall]
    const call = b.cache.getOrSet('k', fail)
    await held.arrived
    const heard = b.line.next('D', '_:k')
    await a.cache.delete('k')
    await heard
    held.release()
    expect(await call).toBe('v')
    expect(b.cache.peek('k')).toBeUndefined()
    expect(b.cache.counters.fillsRefused).toBe(1)
  })

  test('after it a closing cache has nothing left to wait for', async () => {
    const [, b] = await stored(fleet)
    const [held] = holdReads(b, 1) as [HeldCall]
    const call = b.cache.get('k')
    await held.arrived
    let isClosed = false
    const closed = b.cache.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    held.release()
    expect(await call).toBe('v')
    await closed
  })
})
