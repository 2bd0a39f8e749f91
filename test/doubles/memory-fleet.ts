import type { Hub } from '../../src/bus/memory-bus.ts'
import { MemoryBus } from '../../src/bus/memory-bus.ts'
import type { SharedParts } from '../../src/cache/parts.ts'
import { MemoryFleet as SharedMemory } from '../../src/testing/memory-fleet.ts'
import type { Line } from './line.ts'

/** What the processes of a fleet share, without Redis; each hears of the others over a line in a test's hands. */
export class MemoryFleet extends SharedMemory {
  /** The shared parts of one process, which hears of the others over a line. */
  join(origin: string, line: Line): { readonly bus: MemoryBus; readonly shared: SharedParts } {
    const bus = new MemoryBus(origin, throughLine(this.hub, line))
    return { bus, shared: this.sharedOver(bus) }
  }
}

function throughLine(hub: Hub, line: Line): Hub {
  return {
    get last() {
      return hub.last
    },
    publish: (operation, origin, subject) => hub.publish(operation, origin, subject),
    wake: (operation, origin, subject) => hub.wake(operation, origin, subject),
    join: (ear) => hub.join((notice) => line.arrive(notice, () => ear(notice))),
  }
}
