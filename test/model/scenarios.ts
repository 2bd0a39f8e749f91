import { setTimeout as sleep } from 'node:timers/promises'
import { admin } from './admin.ts'
import { OneServer } from './one-server.ts'
import { COMMAND_MS, FAILOVER_MS, STALENESS_MS } from './recorder.ts'
import type { Scenario } from './stage.ts'
import { ARRIVAL_MS, BEYOND_MS } from './stage.ts'

/** How long a call that was not acknowledged waits for its first repetition. */
const REPEATED_AFTER_MS = 500

/**
 * Schedules that chance meets too seldom, each named for what it makes happen. The history is judged by the same rules as
 * that of a random run. These are on one server.
 */
export const scenarios = {
  /**
   *   1. A: is granted the lease of k and begins to load 1
   *   2. B: k becomes 2, delete k takes the lease away
   *   3. A: stores 1
   */
  'a key is deleted while it is loaded': async ({ recorder, database, a, b, c, keys: { key } }) => {
    database.answerMs = 300
    const load = recorder.read(a, key, 'getOrSetEntry')
    await sleep(150)
    await recorder.write(b, key, 'delete')
    await load
    await sleep(BEYOND_MS)
    await recorder.read(c, key, 'getEntry')
  },

  /** As above; only when it has been loaded is the tag of the value known, and the lease is still there. */
  'a tag is invalidated while its value is loaded': async ({ recorder, database, a, b, c, keys: { tagged } }) => {
    database.answerMs = 300
    const load = recorder.read(a, tagged, 'getOrSetEntry')
    await sleep(150)
    await recorder.write(b, tagged, 'invalidateTags')
    await load
    await sleep(BEYOND_MS)
    await recorder.read(c, tagged, 'getEntry')
  },

  /**
   *   1. A: begins to load a value, which will have the tag t
   *   2. A: invalidates t
   *   3. A: another caller asks for the value while the load is under way
   */
  'a load is joined after its tag was invalidated': async ({ recorder, database, a, keys: { tagged } }) => {
    database.answerMs = 300
    const load = recorder.read(a, tagged, 'getOrSetEntry')
    await sleep(150)
    await recorder.write(a, tagged, 'invalidateTags')
    database.answerMs = 1
    await Promise.all([load, recorder.read(a, tagged, 'getOrSetEntry')])
  },

  /**
   *   1. A: reads k = 1 from L2; the reply is slow
   *   2. B: k becomes 2, delete k; A hears of it
   *   3. A: the reply of 1 comes: it must not fill L1
   */
  'a read is overtaken by a deletion': async ({ recorder, a, b, keys: { key } }) => {
    await recorder.read(b, key, 'getOrSetEntry')
    a.commands.hole('to-client')
    const read = recorder.read(a, key, 'getEntry')
    await sleep(ARRIVAL_MS)
    await recorder.write(b, key, 'delete')
    await sleep(ARRIVAL_MS)
    a.commands.release({ deliver: true })
    await read
    await sleep(BEYOND_MS)
    await recorder.read(a, key, 'peek')
  },

  /** As above, for all keys of a namespace at once. */
  'a read is overtaken by a clear': async ({ recorder, a, b, keys: { key } }) => {
    await recorder.read(b, key, 'getOrSetEntry')
    a.commands.hole('to-client')
    const read = recorder.read(a, key, 'getEntry')
    await sleep(ARRIVAL_MS)
    await recorder.write(b, key, 'clear')
    await sleep(ARRIVAL_MS)
    a.commands.release({ deliver: true })
    await read
    await sleep(BEYOND_MS)
    await recorder.read(a, key, 'peek')
  },

  /**
   *   1. A: has k = 1 in L1
   *   2. B: k becomes 2, delete k; the notice is lost with the connection that it was sent on
   *   3. A: subscribes again
   */
  'a notice is lost': async ({ recorder, a, b, keys: { key } }) => {
    await recorder.read(a, key, 'getOrSetEntry')
    a.subscriber.hole('to-client')
    await recorder.write(b, key, 'delete')
    await sleep(ARRIVAL_MS)
    a.subscriber.release({ deliver: false })
    await sleep(BEYOND_MS)
    await recorder.read(a, key, 'peek')
  },

  /**
   *   1. A: has k = 1 in L1, and hears nothing any more
   *   2. B: k becomes 2, delete k is acknowledged
   */
  'a process hears nothing': async ({ recorder, a, b, keys: { key } }) => {
    await recorder.read(a, key, 'getOrSetEntry')
    a.subscriber.hole()
    await recorder.write(b, key, 'delete')
    await sleep(BEYOND_MS)
    await recorder.read(a, key, 'peek')
    a.subscriber.release({ deliver: true })
  },

  /**
   *   1. A: hears nothing any more, and begins to load k = 1
   *   2. B: k becomes 2, delete k is acknowledged
   *   3. A, beyond the bound: another caller asks for k while the load of 1 is under way
   */
  'an old load is joined': async ({ recorder, database, a, b, keys: { key } }) => {
    a.subscriber.hole()
    database.answerMs = 2 * STALENESS_MS
    const first = recorder.read(a, key, 'getOrSetEntry')
    await sleep(ARRIVAL_MS)
    database.answerMs = 1
    await recorder.write(b, key, 'delete')
    await sleep(BEYOND_MS)
    await Promise.all([first, recorder.read(a, key, 'getOrSetEntry')])
    a.subscriber.release({ deliver: true })
  },

  /**
   *   1. A: knows the stamp of tag t, and hears nothing any more
   *   2. B: invalidates t, and that is acknowledged
   *   3. A, within the bound: reads another entry of t from L2 into L1, and judges it by the stamp that it knows
   *   4. A, beyond the bound: L1 has proof that the entry was current at 3, and none that its tag was
   */
  'a remembered stamp judges an entry': async ({ recorder, a, b, keys: { tagged, alsoTagged } }) => {
    for (const each of [tagged, alsoTagged]) await recorder.read(b, each, 'getOrSetEntry')
    await recorder.read(a, tagged, 'getEntry')
    a.subscriber.hole()
    await recorder.write(b, tagged, 'invalidateTags', [tagged, alsoTagged])
    const acknowledgedAt = recorder.now()
    await sleep(0.6 * STALENESS_MS)
    await recorder.read(a, alsoTagged, 'getEntry')
    await sleep(acknowledgedAt + BEYOND_MS - recorder.now())
    await recorder.read(a, alsoTagged, 'getEntry')
    a.subscriber.release({ deliver: true })
  },

  /**
   *   1. A: the reply to its question for the server's time is slow, so that it takes the server for younger than it is
   *   2. A: k becomes 2, expire k is acknowledged
   *   3. A: the entry in L2 ends at an instant that has not come yet, as A sees it
   */
  'a key is expired by a clock that is slow': async ({ recorder, a, b, keys }) => {
    // Where in the beat the reply is held, and so how slow the clock is, is chance.
    for (const key of [keys.key, ...keys.others]) {
      await recorder.read(b, key, 'getOrSetEntry')
      a.commands.hole('to-client')
      await sleep(0.9 * COMMAND_MS)
      a.commands.release({ deliver: true })
      await recorder.write(a, key, 'expire')
      await recorder.read(a, key, 'getEntry')
    }
  },

  /**
   *   1. A: k becomes 2, delete k is refused
   *   2. A: L2 still has k = 1
   */
  'a deletion is refused': async ({ recorder, a, b, keys: { key } }) => {
    await recorder.read(b, key, 'getOrSetEntry')
    // Not by READONLY: a master that says so is left, and not read.
    await admin(recorder.master, ['CONFIG', 'SET', 'min-replicas-to-write', 9])
    await recorder.write(a, key, 'delete')
    await recorder.read(a, key, 'getEntry')
    await admin(recorder.master, ['CONFIG', 'SET', 'min-replicas-to-write', 0])
  },

  /**
   *   1. A: set k = 2; the command is held back on its way, the call gives up, and A dies with its journal
   *   2. B: k becomes 3, delete k is acknowledged
   *   3. the command of 1 arrives: it would store 2
   */
  'a set arrives late': async ({ recorder, a, b, c, keys: { key } }) => {
    await recorder.read(b, key, 'getOrSetEntry')
    a.commands.hole('to-server')
    await recorder.write(a, key, 'set')
    await a.replace()
    await recorder.write(b, key, 'delete')
    a.commands.release({ deliver: true })
    await sleep(BEYOND_MS)
    await recorder.read(b, key, 'getEntry')
    await recorder.read(c, key, 'getEntry')
  },

  /**
   *   1. A: k becomes 2, delete k is refused; half a second later it is repeated; the reply is held back
   *   2. B: loads 2 into L2
   *   3. A: the breaker opens; k becomes 3, delete k is not even sent
   *   4. A: the reply to the repetition comes: it is not about 3
   */
  'a repetition is acknowledged late': async ({ recorder, a, b, keys: { key, others, tagged, alsoTagged } }) => {
    // Not by READONLY: a master that says so is left, and found again sooner than that.
    await admin(recorder.master, ['CONFIG', 'SET', 'min-replicas-to-write', 9])
    await recorder.write(a, key, 'delete')
    const refusedAt = recorder.now()
    await admin(recorder.master, ['CONFIG', 'SET', 'min-replicas-to-write', 0])
    const until = (ms: number) => sleep(Math.max(0, refusedAt + ms - recorder.now()))
    await until(REPEATED_AFTER_MS - 0.8 * COMMAND_MS)
    a.commands.hole('to-client')
    // Reads of one turn are one command: these are several, so that their failures open the breaker.
    const held = [...others, tagged, alsoTagged].map((other, index) =>
      sleep(5 * index).then(() => recorder.read(a, other, 'getEntry')),
    )
    await until(REPEATED_AFTER_MS + 20)
    await recorder.read(b, key, 'getOrSetEntry')
    await Promise.all(held)
    await recorder.write(a, key, 'delete')
    a.commands.release({ deliver: true })
    await sleep(STALENESS_MS)
    await recorder.read(a, key, 'getOrSetEntry')
  },

  /**
   *   1. A: k becomes 2, delete k is acknowledged; A dies. B: the same with another key, and lives
   *   2. the server starts again as it was before: it has k = 1
   */
  'acknowledged deletions are lost': async ({ recorder, a, b, c, keys: { key, others } }) => {
    const [other = key] = others
    for (const each of [key, other]) await recorder.read(c, each, 'getOrSetEntry')
    const { servers } = recorder
    await recorder.serverFault('rollback', async () => {
      if (!(servers instanceof OneServer)) throw new Error('only one server rolls back')
      await servers.rollBack(async () => {
        await recorder.write(a, key, 'delete')
        await recorder.write(b, other, 'delete')
        await a.replace()
      })
      return 'with older content'
    })
    await sleep(FAILOVER_MS + BEYOND_MS)
    for (const each of [key, other]) await recorder.read(c, each, 'getEntry')
  },
} as const satisfies Record<string, Scenario>
