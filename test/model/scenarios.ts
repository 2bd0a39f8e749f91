import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from './database.ts'
import type { Member } from './fleet.ts'
import { Random } from './random.ts'
import type { ModelResult } from './recorder.ts'
import { COMMAND_MS, Recorder, STALENESS_MS } from './recorder.ts'
import { modelKey } from './run.ts'

const key = modelKey('n', 'a')
const others = [1, 2, 3].map((number) => modelKey('n', `other${number}`))

/** Three processes at least, and what is done with them. */
interface Stage {
  readonly recorder: Recorder
  readonly a: Member
  readonly b: Member
  readonly c: Member
}

/**
 * Schedules that chance meets too seldom, each named for what the library must not do. The history is judged by the same
 * rules as that of a random run.
 */
export const scenarios = {
  /**
   *   1. A: set k = 2; the command is held back on its way, the call gives up, and A dies with its journal
   *   2. B: k becomes 3, delete k is acknowledged
   *   3. the command of 1 arrives: it would store 2
   */
  'a set arrives late': async ({ recorder, a, b, c }) => {
    await recorder.read(b, key, 'getOrSetEntry')
    a.commands.hole('to-server')
    await recorder.write(a, key, 'set')
    await a.replace()
    await recorder.write(b, key, 'delete')
    a.commands.release({ deliver: true })
    await sleep(STALENESS_MS + 200)
    await recorder.read(b, key, 'getEntry')
    await recorder.read(c, key, 'getEntry')
  },

  /**
   *   1. A: k becomes 2, delete k is refused; half a second later it is repeated; the reply is held back
   *   2. B: loads 2 into L2
   *   3. A: the breaker opens; k becomes 3, delete k is not even sent
   *   4. A: the reply to the repetition comes: it is not about 3
   */
  'a repetition is acknowledged after a later call has failed': async ({ recorder, a, b }) => {
    await recorder.servers.admin(['REPLICAOF', '127.0.0.1', 1])
    await recorder.write(a, key, 'delete')
    const refusedAt = recorder.now()
    await recorder.servers.admin(['REPLICAOF', 'NO', 'ONE'])
    const until = (ms: number) => sleep(Math.max(0, refusedAt + ms - recorder.now()))
    await until(REPEATED_AFTER_MS - 0.8 * COMMAND_MS)
    a.commands.hole('to-client')
    // Reads of one turn are one command: these are several, so that their failures open the breaker.
    const held = others.map((other, index) => sleep(5 * index).then(() => recorder.read(a, other, 'getEntry')))
    await until(REPEATED_AFTER_MS + 20)
    await recorder.read(b, key, 'getOrSetEntry')
    await Promise.all(held)
    await recorder.write(a, key, 'delete')
    a.commands.release({ deliver: true })
    await sleep(STALENESS_MS)
    await recorder.read(a, key, 'getOrSetEntry')
  },
} as const satisfies Record<string, (stage: Stage) => Promise<void>>

/** How long a call that was not acknowledged waits for its first repetition. */
const REPEATED_AFTER_MS = 500

export type ScenarioName = keyof typeof scenarios
export const scenarioNames = Object.keys(scenarios) as ScenarioName[]

/** Runs one scenario against a compiled library. */
export async function runScenario(name: ScenarioName, dist: string): Promise<ModelResult> {
  const recorder = await Recorder.start({
    seed: 0,
    processes: 3,
    dist,
    database: new Database(new Random(1), 1, 0),
    keys: [key, ...others],
    withReplica: false,
    cache: {},
    namespaces: {},
  })
  try {
    const [a, b, c] = recorder.members
    if (!a || !b || !c) throw new Error('a scenario needs three processes')
    // The chain is known to all.
    for (const member of recorder.members) await recorder.read(member, key, 'getOrSetEntry')
    await sleep(STALENESS_MS)
    await scenarios[name]({ recorder, a, b, c })
    return await recorder.conclude()
  } finally {
    await recorder.stop()
  }
}
