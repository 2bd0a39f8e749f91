import { expect, test } from 'vitest'
import type { LoadContext } from '../../src/cache/load-context.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

/**
 * The order of events, with A and B two processes and a clock that stands still:
 *   1. A holds the lease of k and loads; B waits for A
 *   2. A's load ends, in whichever way, or its lease is taken away
 *   3. B is called: it does not wait until the lease would have run out
 */
inFleets((fleet) => {
  async function setup() {
    const [a, b, c] = [await fleet.process(), await fleet.process(), await fleet.process()]
    const [loading, waiting] = [new ScriptedLoader<string>(), new ScriptedLoader<string>()]
    const first = a.cache.getOrSet('k', loading.load)
    await loading.running()
    const second = b.cache.getOrSet('k', waiting.load)
    await isWaiting(b)
    return { a, b, c, loading, waiting, first, second }
  }

  /** Resolves when a process has been told that another one holds the lease, and waits. */
  async function isWaiting({ leases }: Process): Promise<void> {
    const asking = leases.holdAnswer('acquire')
    await asking.arrived
    asking.release()
    await turn()
  }

  test('stored: B finds the value, and loads nothing', async () => {
    const { loading, waiting, first, second } = await setup()
    loading.answer('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    expect(waiting.started).toBe(0)
  })

  test('refused, since a tag moved: B loads', async () => {
    const { c, loading, waiting, first, second } = await setup()
    await c.cache.invalidateTags('t')
    loading.answerWith(({ setTags }: LoadContext) => {
      setTags('t')
      return 'v1'
    })
    await waiting.running()
    waiting.answer('v2')
    expect(await Promise.all([first, second])).toEqual(['v1', 'v2'])
    expect(await c.cache.get('k')).toBe('v2')
  })

  test.each(['delete', 'set'] as const)('%s elsewhere while A loads on: B goes on', async (change) => {
    const { a, c, loading, waiting, first, second } = await setup()
    if (change === 'delete') await c.cache.delete('k')
    else await c.cache.set('k', 'v2')
    if (change === 'delete') {
      await waiting.running()
      waiting.answer('v2')
    }
    expect(await second).toBe('v2')
    loading.answer('v1')
    expect(await first).toBe('v1')
    expect(await a.cache.get('k')).toBe('v2')
  })

  test('skipped: B loads for itself, and so does who comes a moment later', async () => {
    const { c, loading, waiting, first, second } = await setup()
    const own = (value: string) => (context: LoadContext) => {
      context.skip()
      return value
    }
    loading.answerWith(own('a'))
    await waiting.running()
    waiting.answerWith(own('b'))
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
    expect(await c.cache.getOrSet('k', own('c'))).toBe('c')
    expect(await c.cache.get('k')).toBeUndefined()
  })

  test('skipped for the next: B loads for all', async () => {
    const { c, loading, waiting, first, second } = await setup()
    loading.answerWith((context) => {
      context.skip('next')
      return 'a'
    })
    await waiting.running()
    waiting.answer('b')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
    expect(await c.cache.get('k')).toBe('b')
  })

  test('failed: all who waited fail together, and who comes then tries again', async () => {
    const { a, b, c, loading, waiting, first, second } = await setup()
    const [other, third] = [new ScriptedLoader<string>(), c.cache.getOrSet('k', waiting.load)]
    await isWaiting(c)
    loading.fail(Object.assign(new Error('no database'), { code: 'E_DOWN' }))
    const failed = (message: RegExp, code: string) => ({
      status: 'rejected',
      reason: expect.objectContaining({ code, message: expect.stringMatching(message) }),
    })
    expect(await Promise.allSettled([first, second, third])).toEqual([
      failed(/^no database$/, 'E_DOWN'),
      failed(/E_DOWN: no database/, 'ERR_LOAD_ELSEWHERE'),
      failed(/E_DOWN: no database/, 'ERR_LOAD_ELSEWHERE'),
    ])
    expect(waiting.started).toBe(0)
    const next = a.cache.getOrSet('k', other.load)
    await other.running()
    other.answer('v')
    expect(await next).toBe('v')
    await allHeard(a, b)
    expect(await b.cache.get('k')).toBe('v')
  })
})
