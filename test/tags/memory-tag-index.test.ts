import { expect, test } from 'vitest'
import { MemoryBus, MemoryHub } from '../../src/bus/memory-bus.ts'
import { namespaceGroup, namespacesAbove, tagGroup } from '../../src/entry/key.ts'
import { MemoryStamps, MemoryTagIndex } from '../../src/tags/memory-tag-index.ts'
import { tagIndexSuite } from '../conformance/tag-index.suite.ts'

/** Two processes with the stamps that they share. */
function setup() {
  const [hub, stamps] = [new MemoryHub(), new MemoryStamps()]
  const index = (origin: string) => {
    const bus = new MemoryBus(origin, hub)
    return new MemoryTagIndex(stamps, (operation, subject) => bus.publish(operation, subject))
  }
  return { hub, stamps, here: index('here'), there: index('there') }
}

tagIndexSuite('in memory', async () => {
  const { hub, stamps, here, there } = setup()
  return {
    here,
    there,
    async store(namespace) {
      const groups = namespacesAbove(namespace).map(namespaceGroup)
      const carried = stamps.carriedFrom(groups, hub.last.n)
      return async () => stamps.current(groups).every((stamp, index) => carried?.[index] === stamp?.name)
    },
    close: () => {},
  }
})

test('what follows a number carries nothing of a group that was made void after it', async () => {
  const { hub, stamps, here } = setup()
  const group = tagGroup('t')
  const before = hub.last.n
  await here.invalidate('t')
  expect(stamps.carriedFrom([group], before)).toBeUndefined()
  expect(stamps.carriedFrom([group], hub.last.n)).toEqual([`1:${hub.last.tip}`])
})

test('a soft invalidation leaves the stamp, and makes stale what does not follow it', async () => {
  const { hub, stamps, here } = setup()
  const groups = [tagGroup('t')]
  const before = hub.last.n
  const carried = stamps.carriedFrom(groups, before)
  await here.expire('t')
  expect(stamps.carriedFrom(groups, before)).toEqual(carried)
  expect((await here.judge(0, ['t'], carried ?? [], before)).verdict).toBe('stale')
  expect((await here.judge(0, ['t'], carried ?? [], hub.last.n)).verdict).toBe('holds')
  await here.invalidate('t')
  expect((await here.judge(0, ['t'], carried ?? [], before)).verdict).toBe('void')
})

test('of a group that nothing carries, a soft invalidation makes stale what will be stored and does not follow it', async () => {
  const { hub, stamps, here } = setup()
  const groups = [tagGroup('t')]
  const before = hub.last.n
  await here.expire('t')
  const carried = stamps.carriedFrom(groups, before)
  expect((await here.judge(0, ['t'], carried ?? [], before)).verdict).toBe('stale')
  expect((await here.judge(0, ['t'], carried ?? [], hub.last.n)).verdict).toBe('holds')
  await here.invalidate('t')
  expect(stamps.carriedFrom(groups, before)).toBeUndefined()
})
