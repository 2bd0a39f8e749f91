import type { MemoryBus } from '../bus/memory-bus.ts'
import { MemoryHub } from '../bus/memory-bus.ts'
import type { SharedParts } from '../cache/parts.ts'
import type { Clock } from '../clock.ts'
import { keySubject } from '../entry/notice.ts'
import { MemoryLeases, MemoryLeaseTable } from '../stampede/memory-lease.ts'
import { MemoryStamps, MemoryTagIndex } from '../tags/memory-tag-index.ts'
import { MemoryEntries, MemoryFarTier } from '../tiers/memory-far-tier.ts'

/** What the processes of a fleet share, without Redis: the memory form of every pillar, put together. */
export class MemoryFleet {
  readonly hub = new MemoryHub()
  readonly leases: MemoryLeaseTable
  readonly entries: MemoryEntries
  readonly #clock: Clock
  readonly #stamps = new MemoryStamps()

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock
    this.entries = new MemoryEntries(clock)
    this.leases = new MemoryLeaseTable(clock, leaseMs, {
      n: () => this.hub.last.n,
      hasOther: (address, seen) => this.entries.hasOther(address, seen),
    })
  }

  /** The shared parts of one process, whose changes are told over its bus. */
  sharedOver(bus: Pick<MemoryBus, 'origin' | 'last' | 'publish' | 'wake'>): SharedParts {
    const { leases } = this
    return {
      far: new MemoryFarTier(this.entries, { chain: bus, stamps: this.#stamps, leases }, this.#clock),
      leases: new MemoryLeases(leases, this.#clock, (address) => bus.wake('R', keySubject(address)), bus.origin),
      tags: new MemoryTagIndex(this.#stamps, (operation, subject) => bus.publish(operation, subject)),
      whenUsable: (listener) => listener(),
    }
  }
}
