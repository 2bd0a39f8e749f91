import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from './database.ts'
import { clusterScenarios, sentinelScenarios } from './failover-scenarios.ts'
import type { WorkerStart } from './messages.ts'
import { Random } from './random.ts'
import type { ModelResult } from './recorder.ts'
import { Recorder } from './recorder.ts'
import { modelKey } from './run.ts'
import { scenarios } from './scenarios.ts'
import type { Form } from './servers.ts'
import { forms } from './servers.ts'
import type { Scenario } from './stage.ts'
import { keysOf, listOf, PROOF_MS } from './stage.ts'

const byForm = { server: scenarios, sentinel: sentinelScenarios, cluster: clusterScenarios }

export type ScenarioName = keyof typeof scenarios | keyof typeof sentinelScenarios | keyof typeof clusterScenarios

/** The scenarios of a form. */
export function scenariosOf(form: Form): readonly ScenarioName[] {
  return Object.keys(byForm[form]) as ScenarioName[]
}

/** The form of a scenario. */
export function formOf(name: ScenarioName): Form {
  return forms.find((form) => scenariosOf(form).includes(name)) as Form
}

/** Read by all, so that there is a chain. */
const chained = modelKey('', 'chained')

/** Runs scenarios of one form one after the other with the same processes, until one shows a violation. */
export async function runScenarios(
  names: readonly ScenarioName[],
  dist: string,
  ioredis: WorkerStart['ioredis'] = 'ioredis',
): Promise<ModelResult> {
  const database = new Database(new Random(1), 1, 0)
  const form = formOf(names[0] as ScenarioName)
  const recorder = await Recorder.start({
    seed: 0,
    processes: 3,
    dist,
    database,
    keys: [chained, ...names.flatMap((name) => listOf(keysOf(name)))],
    servers: { form, withReplica: false, nodeArgs: [] },
    ioredis,
    cache: {},
    namespaces: {},
  })
  try {
    for (const name of names) {
      await play(name, (byForm[form] as Record<string, Scenario>)[name] as Scenario, recorder, database)
      const result = recorder.judge()
      if (result.violations.length > 0) return result
    }
    return await recorder.conclude()
  } finally {
    await recorder.stop()
  }
}

async function play(name: ScenarioName, scenario: Scenario, recorder: Recorder, database: Database): Promise<void> {
  const [a, b, c] = recorder.members
  if (!a || !b || !c) throw new Error('a scenario needs three processes')
  // Everybody works, and knows the chain.
  await recorder.connected()
  for (const member of recorder.members) await recorder.read(member, chained, 'getOrSetEntry')
  await sleep(PROOF_MS)
  await recorder.fault(name, async () => {
    await scenario({ recorder, database, a, b, c, keys: keysOf(name) })
    return ''
  })
  database.answerMs = undefined
}
