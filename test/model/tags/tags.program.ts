/**
 * The model of leases and tags from a terminal.
 *
 * `--seed N` (default: by chance), `--seeds N` that many in a row, `--steps S` per seed. `--control NAME` (`all`): the
 * scripts without one of their rules; then seeds are tried until one sees that rule broken.
 */
import { parseArgs } from 'node:util'
import type { RedisServer } from '../../doubles/redis.ts'
import { startRedis } from '../../doubles/redis.ts'
import { catchControl } from './catch-control.ts'
import type { ControlName } from './controls.ts'
import { controlNames, controls } from './controls.ts'
import { drawPlan } from './plan.ts'
import { report, told } from './report.ts'
import { run } from './run.ts'
import { openStage } from './stage.ts'

const print = (text: string) => void process.stdout.write(`${text}\n`)

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '5000' },
    control: { type: 'string' },
  },
})

const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const [seeds, steps] = [Number(values.seeds), Number(values.steps)]

async function runSeeds(server: RedisServer): Promise<boolean> {
  const stage = await openStage(server.url)
  const sum: Record<string, number> = {}
  let bad = 0
  let done = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const plan = drawPlan(seed, steps)
    const outcome = await run(stage, plan)
    done += outcome.steps
    for (const [word, count] of Object.entries(outcome.counts)) sum[word] = (sum[word] ?? 0) + count
    if (!outcome.violation) continue
    bad++
    for (const line of await report(stage, seed, plan, outcome)) print(line)
  }
  stage.close()
  print(`${seeds} seeds from ${first}, ${done} steps, ${bad} violations`)
  for (const [word, count] of Object.entries(sum).sort(([a], [b]) => a.localeCompare(b))) print(`  ${word}: ${count}`)
  return bad === 0
}

async function runControls(server: RedisServer, wanted: readonly ControlName[]): Promise<boolean> {
  let isGood = true
  for (const name of wanted) {
    const stage = await openStage(server.url, controls[name].alter)
    const caught = await catchControl(stage, controls[name], { first, seeds, steps })
    stage.close()
    isGood = isGood && caught !== undefined
    print(`${name}: ${caught ? `caught after ${caught.steps} steps, seed ${caught.seed}` : `survived ${seeds} seeds`}`)
    if (caught) print(`  ${told(caught.violation)}`)
  }
  return isGood
}

function readControls(text: string): readonly ControlName[] {
  if (text === 'all') return controlNames
  const found = controlNames.find((each) => each === text)
  if (found === undefined) throw new Error(`there is no control ${text}; there are: ${controlNames.join(', ')}`)
  return [found]
}

const server = await startRedis()
const isGood =
  values.control === undefined ? await runSeeds(server) : await runControls(server, readControls(values.control))
await server.stop()
process.exitCode = isGood ? 0 : 1
