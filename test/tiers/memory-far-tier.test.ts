import { systemClock } from '../../src/clock.ts'
import { encode } from '../../src/entry/codec.ts'
import { tierSuite } from '../conformance/tier.suite.ts'
import { Line } from '../doubles/line.ts'
import { MemoryFleet } from '../doubles/memory-fleet.ts'

tierSuite('MemoryFarTier', async () => {
  const { far } = new MemoryFleet(systemClock, 3000).join('here', new Line()).shared
  return {
    async set(address, value, lifeMs) {
      const createdAt = systemClock.now()
      const until = createdAt + lifeMs
      await far.set({
        address,
        ...encode(value),
        createdAt,
        freshUntil: until,
        staleUntil: until,
        tags: [],
        loadMs: 0,
      })
    },
    async get(address) {
      const found = await far.get(address)
      return found.word === 'entry' ? found.entry.value : undefined
    },
    delete: (address) => far.delete(address),
    endsByItself: true,
    close: () => {},
  }
})
