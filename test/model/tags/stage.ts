import { Redis } from 'ioredis'
import { systemClock } from '../../../src/clock.ts'
import { tagGroup } from '../../../src/entry/key.ts'
import { BatchedReads } from '../../../src/redis/batched-reads.ts'
import { RedisLeases } from '../../../src/stampede/redis-lease.ts'
import { Marks } from '../../../src/tags/marks.ts'
import { RedisTagIndex } from '../../../src/tags/redis-tag-index.ts'
import { RedisTier } from '../../../src/tiers/redis-tier.ts'
import { envelopeOf } from '../../entry/envelope-of.ts'
import { rigOf } from '../../redis/rig.ts'
import type { Mind } from './plan.ts'
import type { Tag } from './universe.ts'
import { PREFIX } from './universe.ts'

/** Long: what ends a lease is the plan. */
export const LEASE_MS = 3_600_000

/** Below nothing: a stamp is believed for a proof alone, and never because it was read a moment ago. */
const NEVER_BY_AGE_MS = -1

/** The parts of one process that reach Redis, for one run. */
export interface Parts {
  readonly tier: RedisTier
  readonly leases: RedisLeases
  readonly tags: Readonly<Record<Mind, RedisTagIndex>>
  /** A tag has moved, and the process is not told yet: until it is, nothing is proven. */
  move(tag: Tag, how: 'void' | 'stale'): void
  /** The process hears of all moves so far. */
  hear(): void
}

/** One real Redis, its administrator, and the way of the library to it. */
export interface Stage {
  readonly admin: Redis
  /** Empties Redis and makes the parts anew: nothing is remembered of another run. */
  open(): Promise<Parts>
  close(): void
}

/** `alter` may take a rule out of the scripts before anything is sent. */
export async function openStage(url: string, alter: (connection: Redis) => void = () => {}): Promise<Stage> {
  const admin = new Redis(url)
  const connection = new Redis(url)
  alter(connection)
  const { client, connected } = rigOf(connection, { commandTimeoutMs: 60_000, prefix: PREFIX })
  await connected()
  return {
    admin,
    async open() {
      await admin.flushall()
      const settings = { origin: 'here' }
      const reads = new BatchedReads(60_000, systemClock)
      const marks = new Marks()
      const unheard: (() => void)[] = []
      const indexOf = (verifiedAt: () => number) => {
        const hearing = {
          marks,
          of: () => ({
            verifiedAt: verifiedAt(),
            behindAt: Number.NEGATIVE_INFINITY,
            emptyAt: Number.NEGATIVE_INFINITY,
          }),
        }
        return new RedisTagIndex(client, reads, { ...settings, maxStalenessMs: NEVER_BY_AGE_MS }, systemClock, hearing)
      }
      return {
        tier: new RedisTier(
          client,
          reads,
          envelopeOf(),
          { ...settings, commandTimeoutMs: 60_000 },
          systemClock,
          () => {},
        ),
        leases: new RedisLeases(client, { ...settings, leaseMs: LEASE_MS }, systemClock),
        tags: {
          doubting: indexOf(() => Number.NEGATIVE_INFINITY),
          believing: indexOf(() => (unheard.length === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)),
        },
        move(tag, how) {
          const group = tagGroup(tag)
          unheard.push(() => (how === 'void' ? marks.move(group) : marks.moveSoftly(group)))
        },
        hear() {
          for (const tell of unheard.splice(0)) tell()
        },
      }
    },
    close() {
      client.close()
      connection.disconnect()
      admin.disconnect()
    },
  }
}
