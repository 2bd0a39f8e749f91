import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterServers } from './cluster-servers.ts'
import { FAILOVER_MS } from './recorder.ts'
import { SentinelServers } from './sentinel-servers.ts'
import type { Scenario, Stage } from './stage.ts'
import { ARRIVAL_MS, BEYOND_MS, bucketIn, PROOF_MS } from './stage.ts'

/** Often enough that one is always on its way. */
const READ_EVERY_MS = 2

/** As `scenarios.ts`, behind sentinels. */
export const sentinelScenarios = {
  'a master is lost with a deletion that one process knows of': (stage) =>
    loseWhatOneKnows(stage, (...acts) => sentinel(stage).failOverBy('kill', ...acts)),

  /**
   *   1. the master lets nobody in any more, and keeps its subscribers; the replica takes its place
   *   2. A, B, C: ask the new master, and listen to the old one, which lives and is silent
   */
  'a subscriber stays with the old master': async (stage) => {
    const { recorder, a, b, c, keys } = stage
    for (const member of [a, b, c]) await recorder.read(member, keys.key, 'getOrSetEntry')
    await recorder.serverFault('failover', async () => {
      await sentinel(stage).shutOut('everybody', async () => {
        await recorder.connected()
        await recorder.hearing()
      })
      return 'everybody shut out'
    })
  },
} as const satisfies Record<string, Scenario>

/** As `scenarios.ts`, on a Cluster. */
export const clusterScenarios = {
  'a master is succeeded without a deletion that one process knows of': (stage) => {
    const servers = cluster(stage)
    const master = servers.ownerOf(bucketIn(stage.keys.key))
    return loseWhatOneKnows(stage, (...acts) => servers.failOverBy(master, 'kill', ...acts))
  },

  /**
   *   1. replication stops; A: k becomes 2, delete k is acknowledged
   *   2. the replica, which has k = 1, takes the place of its master, which lives, and redirects the reads of A
   */
  'a read is redirected to a successor': async (stage) => {
    const { recorder, a, keys } = stage
    const servers = cluster(stage)
    // How soon who hears of the new master is chance.
    for (const key of [keys.key, ...keys.others]) {
      await recorder.read(a, key, 'getOrSetEntry')
      let isOver = false
      const reading = async () => {
        while (!isOver) {
          void recorder.read(a, key, 'getEntry')
          await sleep(READ_EVERY_MS)
        }
      }
      const lost = async () => {
        await recorder.write(a, key, 'delete')
        void reading()
      }
      await recorder.serverFault('failover', async () => {
        await servers.failOverBy(servers.ownerOf(bucketIn(key)), 'takeover', lost, async () => {})
        return 'takeover'
      })
      isOver = true
      await recorder.connected()
    }
  },

  /**
   *   1. A: has k = 1 in L1, and stands still
   *   2. the slot of k moves to another master
   *   3. B: k becomes 2, delete k is acknowledged there; the notice is the last one for a while
   *   4. A: goes on, and subscribes there
   */
  'a slot moves and a deletion is not heard': async (stage) => {
    const { recorder, a, b, keys } = stage
    const servers = cluster(stage)
    const bucket = bucketIn(keys.key)
    await recorder.read(a, keys.key, 'getOrSetEntry')
    await sleep(PROOF_MS)
    a.signal('SIGSTOP')
    await recorder.serverFault('reshard', async () => {
      await servers.moveBuckets([bucket], servers.stranger(bucket))
      return `bucket ${bucket}`
    })
    await recorder.write(b, keys.key, 'delete')
    a.signal('SIGCONT')
    // Beyond the bound only an L1 that was proven anew answers.
    await sleep(BEYOND_MS)
    await recorder.read(a, keys.key, 'peek')
    await recorder.read(a, keys.key, 'getEntry')
  },
} as const satisfies Record<string, Scenario>

/**
 *   1. replication stops
 *   2. A: k becomes 2, delete k is acknowledged; B and C do not hear of it, and A is cut off
 *   3. the master dies, and its replica, which has k = 1, takes its place
 *   4. C: comes there, and has more links follow than were lost: nobody can tell by the numbers that the chain went back
 *   5. A: comes there
 */
async function loseWhatOneKnows(
  { recorder, a, b, c, keys: { key, others } }: Stage,
  failOver: (lost: () => Promise<unknown>, meanwhile: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  for (const member of [a, b, c]) await recorder.read(member, key, 'getOrSetEntry')
  await sleep(PROOF_MS)
  const deletion = async () => {
    for (const deaf of [b, c]) deaf.subscriber.hole('to-client')
    await recorder.write(a, key, 'delete')
    await sleep(ARRIVAL_MS)
    a.commands.hole()
  }
  // The old master is away all the time: that it has started anew would tell A, too.
  const newLinks = async () => {
    for (const deaf of [b, c]) deaf.subscriber.release({ deliver: false })
    await recorder.connected([b, c])
    for (const other of others) await recorder.write(c, other, 'delete')
    a.commands.release({ deliver: false })
    await recorder.connected()
  }
  await recorder.serverFault('failover', async () => {
    await failOver(deletion, newLinks)
    return 'without a deletion'
  })
  await sleep(FAILOVER_MS + BEYOND_MS)
  // A machine that is busy lets single reads miss.
  for (const member of [b, c, b, c]) await recorder.read(member, key, 'getEntry')
}

function sentinel({ recorder: { servers } }: Stage): SentinelServers {
  if (servers instanceof SentinelServers) return servers
  throw new Error('there are no sentinels')
}

function cluster({ recorder: { servers } }: Stage): ClusterServers {
  if (servers instanceof ClusterServers) return servers
  throw new Error('it is no Cluster')
}
