import type { Hub } from '../../src/bus/memory-bus.ts'
import { MemoryBus, MemoryHub } from '../../src/bus/memory-bus.ts'
import type { SharedParts } from '../../src/cache/parts.ts'
import type { Clock } from '../../src/clock.ts'
import { keySubject } from '../../src/entry/notice.ts'
import { MemoryLeases, MemoryLeaseTable } from '../../src/stampede/memory-lease.ts'
import { MemoryStamps, MemoryTagIndex } from '../../src/tags/memory-tag-index.ts'
import { MemoryEntries, MemoryFarTier } from '../../src/tiers/memory-far-tier.ts'
import type { Line } from './line.ts'

/** What the processes of a fleet share, without Redis: the memory form of every pillar, put together. */
export class MemoryFleet {
  readonly hub = new MemoryHub()
  readonly leases: MemoryLeaseTable
  readonly #clock: Clock
  readonly #entries: MemoryEntries
  readonly #stamps = new MemoryStamps()

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock
    this.#entries = new MemoryEntries(clock)
    this.leases = new MemoryLeaseTable(clock, leaseMs, {
      n: () => this.hub.last.n,
      hasOther: (address, seen) => this.#entries.hasOther(address, seen),
    })
  }

  /** The shared parts of one process, which hears of the others over a line. */
  join(origin: string, line: Line): { readonly bus: MemoryBus; readonly shared: SharedParts } {
    const { hub, leases } = this
    const bus = new MemoryBus(origin, throughLine(hub, line))
    return {
      bus,
      shared: {
        far: new MemoryFarTier(this.#entries, { chain: bus, stamps: this.#stamps, leases }, this.#clock),
        leases: new MemoryLeases(leases, this.#clock, (address) => bus.wake('R', keySubject(address))),
        tags: new MemoryTagIndex(this.#stamps, (operation, subject) => bus.publish(operation, subject)),
        whenUsable: (listener) => listener(),
      },
    }
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
