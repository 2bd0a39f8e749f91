import { expect, test } from 'vitest'
import { MemoryBus, MemoryHub } from '../../src/bus/memory-bus.ts'
import { busSuite, Hearing } from '../conformance/bus.suite.ts'

busSuite('in memory', async (hereListener, thereListener) => {
  const hub = new MemoryHub()
  const [here, there] = [new MemoryBus('here', hub), new MemoryBus('there', hub)]
  here.subscribe(hereListener)
  there.subscribe(thereListener)
  const others = new Map([here, there].map((bus) => [bus.origin, bus]))
  return {
    here,
    there,
    async publish(origin, operation, subject) {
      const bus = others.get(origin) ?? new MemoryBus(origin, hub)
      bus.publish(operation, subject)
    },
    settled: async () => {},
    proven: async () => {},
    now: () => 1000,
    close() {
      here.close()
      there.close()
    },
  }
})

test('a bus with a hub of its own has nobody to hear of', () => {
  const hearing = new Hearing()
  const [alone, other] = [new MemoryBus('a'), new MemoryBus('b')]
  alone.subscribe(hearing)
  other.publish('D', '_:k')
  expect(hearing.notices).toEqual([])
  alone.publish('D', '_:own')
  expect(hearing.subjects).toEqual(['D _:own by a'])
  expect(alone.currency().verifiedAt).toBe(Number.POSITIVE_INFINITY)
})
