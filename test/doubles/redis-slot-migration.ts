import type { RedisServer } from './redis.ts'
import { idOf } from './redis-cluster-view.ts'
import { askAll, connected } from './redis-deployment.ts'

/**
 * Moves slots with their keys from one node of a cluster to another. `midway` is called when the keys are at the new
 * owner and the old one still owns the slots.
 */
export async function migrate(
  slots: readonly number[],
  from: RedisServer,
  to: RedisServer,
  midway: () => Promise<unknown> = async () => {},
): Promise<void> {
  const [fromId, toId] = [await idOf(from), await idOf(to)]
  await setSlots(slots, to, 'IMPORTING', fromId)
  await setSlots(slots, from, 'MIGRATING', toId)
  await moveKeys(slots, from, to)
  await midway()
  // The new owner first: were the old one to forget the slots before, it would send clients to nobody.
  await setSlots(slots, to, 'NODE', toId)
  await setSlots(slots, from, 'NODE', toId)
}

async function setSlots(slots: readonly number[], server: RedisServer, state: string, id: string): Promise<void> {
  await askAll(
    server,
    slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, state, id] as const),
  )
}

/** None comes after its slot is open at both ends: what is not there is asked for at the new owner. */
async function moveKeys(slots: readonly number[], from: RedisServer, to: RedisServer): Promise<void> {
  await connected(from, async (redis) => {
    const counts = await Promise.all(slots.map((slot) => redis.call('CLUSTER', 'COUNTKEYSINSLOT', slot)))
    for (const slot of slots.filter((_, at) => counts[at] !== 0)) {
      for (;;) {
        const keys = (await redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
        if (keys.length === 0) break
        await redis.call('MIGRATE', to.host, to.port, '', 0, 5_000, 'KEYS', ...keys)
      }
    }
  })
}
