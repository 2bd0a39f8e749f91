import { expect, test } from 'vitest'
import type { Process } from '../doubles/fleet.ts'
import { allHeard, inFleets, LEASE_MS, turn } from '../doubles/fleet.ts'
import { ScriptedLoader } from '../doubles/scripted-loader.ts'
import { ScriptedManyLoader } from '../doubles/scripted-many-loader.ts'

const kept = { ttl: '1h', stale: '1h', jitter: 0 } as const
const at = (key: string) => ({ namespace: '_', key })

/**
 * The order of events, with A and B two processes:
 *   1. A asks for a and b, is granted both leases, and loads
 *   2. B asks for b and c: A holds b, so B loads c alone, beside its wait
 *   3. A stores, or fails, or dies; or a key is deleted meanwhile
 * Each key is loaded once, and B loads once more what A did not bring.
 */
inFleets((fleet) => {
  async function bothUnderWay() {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [loaderA, loaderB] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    const ofA = a.cache.getOrSetMany(['a', 'b'], loaderA.load, kept)
    await loaderA.running()
    const ofB = b.cache.getOrSetMany(['b', 'c'], loaderB.load, kept)
    await loaderB.running()
    return { a, b, loaderA, loaderB, ofA, ofB }
  }

  /** Two keys ask again, one after the other: the loader runs once more, for both, and not before. */
  async function asksOnceMore(
    loader: ScriptedManyLoader<string>,
    asked: readonly ReturnType<Process['leases']['holdAnswer']>[],
  ) {
    const before = loader.asked.length
    for (const { arrived } of asked) await arrived
    asked[0]?.release()
    await turn()
    expect(loader.asked).toHaveLength(before)
    asked[1]?.release()
    await loader.running(before + 1)
    expect(loader.asked.slice(before).map((keys) => [...keys].sort())).toEqual([['a', 'b']])
  }

  test('what another process loads is awaited beside the one load of the rest', async () => {
    const { a, b, loaderA, loaderB, ofA, ofB } = await bothUnderWay()
    expect([loaderA.asked, loaderB.asked]).toEqual([[['a', 'b']], [['c']]])
    const storing = b.far.holdAnswer('commit')
    loaderB.answer(() => 'of B')
    await storing.arrived
    storing.release()
    expect(await a.cache.get('c')).toBe('of B')
    loaderA.answer(() => 'of A')
    expect(Object.fromEntries(await ofA)).toEqual({ a: 'of A', b: 'of A' })
    expect(Object.fromEntries(await ofB)).toEqual({ b: 'of A', c: 'of B' })
    for (const { cache } of [a, b]) {
      expect(Object.fromEntries(await cache.getMany(['a', 'b', 'c']))).toEqual({ a: 'of A', b: 'of A', c: 'of B' })
    }
    expect([loaderA.asked.length, loaderB.asked.length]).toEqual([1, 1])
  })

  test('a single call waits for a batch elsewhere, and a batch for a single call', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [many, single] = [new ScriptedManyLoader<string>(), new ScriptedLoader<string>()]
    const ofX = b.cache.getOrSet('x', single.load)
    await single.running()
    const ofA = a.cache.getOrSetMany(['a', 'x'], many.load)
    await many.running()
    const asked = b.leases.holdAnswer('acquire')
    const ofB = b.cache.getOrSet('a', single.load)
    await asked.arrived
    asked.release()
    expect(many.asked).toEqual([['a']])
    many.answer(() => 'of the batch')
    expect(await ofB).toBe('of the batch')
    single.answer('of the single')
    expect(Object.fromEntries(await ofA)).toEqual({ a: 'of the batch', x: 'of the single' })
    expect(await ofX).toBe('of the single')
    expect(single.started).toBe(1)
  })

  test('keys whose holder died are loaded by one more call', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [gone, loader] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    a.leases.failing('renew')
    const lost = a.cache.getOrSetMany(['a', 'b'], gone.load)
    await gone.running()
    const values = b.cache.getOrSetMany(['a', 'b', 'c'], loader.load)
    await loader.running()
    expect(loader.asked).toEqual([['c']])
    loader.answer(() => 'first')
    await turn()

    const asked = [b.leases.holdAnswer('acquire'), b.leases.holdAnswer('acquire')]
    await fleet.runOut(at('a'))
    await fleet.runOut(at('b'))
    await fleet.elapse(LEASE_MS + 1)
    await asksOnceMore(loader, asked)
    loader.answer(() => 'second')
    expect(Object.fromEntries(await values)).toEqual({ a: 'second', b: 'second', c: 'first' })
    gone.answer(() => 'too late')
    await lost
    expect(Object.fromEntries(await b.cache.getMany(['a', 'b', 'c']))).toEqual({ a: 'second', b: 'second', c: 'first' })
    expect(loader.asked).toHaveLength(2)
  })

  test('a failed load elsewhere fails those who waited for it, and what they loaded themselves stays', async () => {
    const { b, loaderA, loaderB, ofA, ofB } = await bothUnderWay()
    const failure = new Error('no database')
    const failed = [
      expect(ofA).rejects.toBe(failure),
      expect(ofB).rejects.toMatchObject({ code: 'ERR_LOAD_ELSEWHERE' }),
    ]
    loaderB.answer(() => 'of B')
    await turn()
    loaderA.fail(failure)
    await Promise.all(failed)
    expect([...(await b.cache.getMany(['b', 'c']))]).toEqual([['c', 'of B']])
  })

  test('a record that another process deletes during the load is refused, and that one alone', async () => {
    const { a, b, loaderA, loaderB, ofA, ofB } = await bothUnderWay()
    await b.cache.delete('a')
    loaderA.answer(() => 'of A')
    loaderB.answer(() => 'of B')
    expect(Object.fromEntries(await ofA)).toEqual({ a: 'of A', b: 'of A' })
    await ofB
    for (const { cache } of [a, b]) {
      expect(Object.fromEntries(await cache.getMany(['a', 'b', 'c']))).toEqual({ b: 'of A', c: 'of B' })
    }
  })

  test('a tag that a record turns out to have, invalidated during the load, refuses that record alone', async () => {
    const { a, b, loaderA, loaderB, ofA, ofB } = await bothUnderWay()
    await b.cache.invalidateTags('team')
    loaderA.context.setTags('b', 'team')
    loaderA.answer(() => 'of A')
    loaderB.answer(() => 'of B')
    await ofA
    await loaderB.running(2)
    expect(loaderB.asked[1]).toEqual(['b'])
    loaderB.answer(() => 'again')
    expect(Object.fromEntries(await ofB)).toEqual({ b: 'again', c: 'of B' })
    for (const { cache } of [a, b]) {
      expect(Object.fromEntries(await cache.getMany(['a', 'b', 'c']))).toEqual({ a: 'of A', b: 'again', c: 'of B' })
    }
  })

  test('keys whose values are refused elsewhere are loaded by one more call', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [loaderA, loaderB] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    const ofA = a.cache.getOrSetMany(['a', 'b'], loaderA.load)
    await loaderA.running()
    const ofB = b.cache.getOrSetMany(['a', 'b', 'c'], loaderB.load)
    await loaderB.running()
    loaderB.answer(() => 'of B')
    await b.cache.invalidateTags('team')
    for (const key of ['a', 'b']) loaderA.context.setTags(key, 'team')
    const asked = [b.leases.holdAnswer('acquire'), b.leases.holdAnswer('acquire')]
    loaderA.answer(() => 'refused')
    await ofA
    await asksOnceMore(loaderB, asked)
    loaderB.answer(() => 'again')
    expect(Object.fromEntries(await ofB)).toEqual({ a: 'again', b: 'again', c: 'of B' })
  })

  test('who joined a load that is older than a change starts over, with one load for all such keys', async () => {
    const a = await fleet.process()
    const [first, second] = [new ScriptedManyLoader<string>(), new ScriptedManyLoader<string>()]
    const before = a.cache.getOrSetMany(['a', 'b'], first.load)
    await first.running()
    await a.cache.invalidateTags('team')
    const after = a.cache.getOrSetMany(['a', 'b'], second.load)
    await turn()
    for (const key of ['a', 'b']) first.context.setTags(key, 'team')
    const asked = [a.leases.holdAnswer('acquire'), a.leases.holdAnswer('acquire')]
    first.answer(() => 'old')
    expect(Object.fromEntries(await before)).toEqual({ a: 'old', b: 'old' })
    await asksOnceMore(second, asked)
    second.answer(() => 'new')
    expect(Object.fromEntries(await after)).toEqual({ a: 'new', b: 'new' })
  })

  test('a renewal that finds its value renewed by another process holds up no other', async () => {
    const [a, b] = [await fleet.process(), await fleet.process()]
    const [loader, single] = [new ScriptedManyLoader<string>(), new ScriptedLoader<string>()]
    await a.cache.setMany({ a: 'old', b: 'old' }, kept)
    for (const key of ['a', 'b']) await a.cache.expire(key)
    await allHeard(a, b)
    // A deadline in Redis is on the server's clock: beyond what that may have gone on meanwhile.
    await fleet.elapse(1000)
    for (const key of ['a', 'b']) expect(await a.cache.getEntry(key)).toMatchObject({ freshness: 'stale' })
    expect(await b.cache.getOrSet('a', single.load, kept)).toBe('old')
    await single.running()
    const storing = b.far.holdAnswer('commit')
    single.answer('new')
    await storing.arrived
    storing.release()

    const values = await a.cache.getOrSetMany(['a', 'b'], loader.load, kept)
    expect(Object.fromEntries(values)).toEqual({ a: 'old', b: 'old' })
    await loader.running()
    expect(loader.asked).toEqual([['b']])
    loader.answer(() => 'new')
  })

  test('a load past its deadline: its signal is aborted, its callers fail, and what it answers is stored', async () => {
    const a = await fleet.process()
    const loader = new ScriptedManyLoader<string>()
    const values = a.cache.getOrSetMany(['a', 'b'], loader.load, { hardTimeout: '1s' })
    const failed = expect(values).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    await loader.running()
    const { signal } = loader.context
    expect(signal.aborted).toBe(false)
    await fleet.elapse(1001)
    await failed
    expect(signal.aborted).toBe(true)
    loader.answer((key) => key)
    await turn()
    await turn()
    expect([...(await a.cache.getMany(['a', 'b'])).values()]).toEqual(['a', 'b'])
  })

  test('who will not wait any longer loads at once, whoever else does so for its other keys', async () => {
    const a = await fleet.process()
    const [slow, first, second] = [
      new ScriptedLoader<string>(),
      new ScriptedManyLoader<string>(),
      new ScriptedManyLoader<string>(),
    ]
    const singles = [a.cache.getOrSet('x', slow.load), a.cache.getOrSet('q', slow.load)]
    await slow.running(2)
    const ofFirst = a.cache.getOrSetMany(['x', 'y'], first.load, { waitTimeout: '1s' })
    await first.running()
    first.answer(() => 'first')
    const ofSecond = a.cache.getOrSetMany(['x', 'q'], second.load, { waitTimeout: '1s' })
    await turn()
    await fleet.elapse(1001)
    await first.running(2)
    await second.running()
    expect([first.asked, second.asked]).toEqual([[['y'], ['x']], [['q']]])
    second.answer(() => 'second')
    first.answer(() => 'instead')
    expect(Object.fromEntries(await ofFirst)).toEqual({ x: 'instead', y: 'first' })
    expect(Object.fromEntries(await ofSecond)).toEqual({ x: 'instead', q: 'second' })
    slow.answer('slow')
    slow.answer('slow')
    expect(await Promise.all(singles)).toEqual(['slow', 'slow'])
  })
})
