import { expect, test } from 'vitest'
import type { Offer } from '../../src/cache/load-request.ts'
import type { LoadContext } from '../../src/cache/load-context.ts'
import { door } from '../../src/cache/seek.ts'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'

const replaced = ({ stale }: LoadContext) => ({ replaced: stale?.value })

/**
 * The order of events, with A and B two processes:
 *   1. A looks into L2, which has a value of k that does not do; its load has not begun
 *   2. B deletes k, and A hears of it
 *   3. A loads k: to its loader there is nothing left that it might keep
 */
inFleets((fleet) => {
  async function stored(): Promise<[a: Process, b: Process]> {
    const [a, b] = [await fleet.process(), await fleet.process()]
    await b.cache.set('k', 'old')
    await allHeard(b, a)
    return [a, b]
  }

  test.each([{}, { signal: new AbortController().signal }])('deleted while L2 is asked: %o', async (options) => {
    const [a, b] = await stored()
    await b.cache.expire('k')
    await allHeard(b, a)
    const look = a.far.holdAnswer('get')
    const call = a.cache.getOrSet('k', replaced, options)
    await look.arrived
    await b.cache.delete('k')
    await allHeard(b, a)
    look.release()
    expect(await call).toEqual({ replaced: undefined })
  })

  test('deleted while it waits for a load of which it does not take the value', async () => {
    const [a, b] = await stored()
    const slow = new ScriptedLoader<string>()
    const [first, second] = [a.far.holdAnswer('get'), a.far.holdAnswer('get')]
    const seek = (load: (context: LoadContext) => unknown, accepts: (offer: Offer) => boolean) =>
      a.cache[door].seek('k', load, { accepts })
    const leads = seek(slow.load, ({ value }) => value === 'new')
    await first.arrived
    const joins = seek(replaced, ({ value }) => typeof value === 'object')
    await second.arrived
    first.release()
    await slow.running()
    second.release()
    await b.cache.delete('k')
    await allHeard(b, a)
    slow.answer('new')
    expect(await leads).toMatchObject({ value: 'new' })
    expect(await joins).toMatchObject({ value: { replaced: undefined }, joined: false })
  })
})
