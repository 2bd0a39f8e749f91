import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis } from '../../doubles/redis.ts'
import { catchControl } from './catch-control.ts'
import { controlNames, controls } from './controls.ts'
import { drawPlan } from './plan.ts'
import { report } from './report.ts'
import { run } from './run.ts'
import { shrink } from './shrink.ts'
import { openStage } from './stage.ts'
import type { RedisServer } from '../../doubles/redis.ts'
import type { Stage } from './stage.ts'

let server: RedisServer
let stage: Stage
beforeAll(async () => {
  server = await startRedis()
  stage = await openStage(server.url)
})
afterAll(async () => {
  stage.close()
  await server.stop()
})

// More: `npm run -s compile && node build/test/model/tags/tags.program.js --seeds 50 --steps 5000`.
test.each([1, 2, 3, 4, 5])(
  'leases and tags keep their promises, whatever is evicted: seed %i',
  { timeout: 60_000 },
  async (seed) => {
    const plan = drawPlan(seed, 3000)
    const outcome = await run(stage, plan)
    const told = await report(stage, seed, plan, outcome)
    expect(outcome.violation, told.join('\n')).toBeUndefined()
    // A run proves nothing in which nothing is stored, read or evicted.
    for (const ended of ['commit stored', 'commit refused: moved', 'read fresh', 'read void', 'evict there']) {
      expect([ended, outcome.counts[ended] ?? 0]).toEqual([ended, expect.toSatisfy((count: number) => count >= 5)])
    }
  },
)

describe('the model sees what is missing', () => {
  test.each(controlNames)('%s is caught', { timeout: 60_000 }, async (name) => {
    const altered = await openStage(server.url, controls[name].alter)
    const caught = await catchControl(altered, controls[name], { first: 1, seeds: 20, steps: 3000 })
    altered.close()
    expect(caught?.violation.rule).toBe(controls[name].breaks)
  })
})

describe('shrink', () => {
  const hasAll =
    (...wanted: number[]) =>
    async (part: readonly number[]) =>
      wanted.every((each) => part.includes(each))

  test.each([[[]], [[0]], [[99]], [[3, 50, 51, 97]]])('leaves %j of a hundred', async (wanted) => {
    const whole = Array.from({ length: 100 }, (_, index) => index)
    expect(await shrink(whole, hasAll(...wanted))).toEqual(wanted)
  })
})
