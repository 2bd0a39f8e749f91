import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { breakLibrary, controlNames, controlOf } from './controls.ts'
import { usualFaults } from './faults.ts'
import { builtLibrary, copyLibrary, removeLibrary } from './library.ts'
import { report } from './report.ts'
import { runModel } from './run.ts'
import { runScenario, scenarioNames } from './scenarios.ts'

let dist = ''
beforeAll(async () => {
  dist = await copyLibrary(builtLibrary, 'dist')
})
afterAll(() => removeLibrary(dist))

describe('the library keeps its promises', () => {
  test.each([
    { seed: 1, seconds: 8, faults: [] },
    { seed: 2, seconds: 10, faults: usualFaults },
    { seed: 3, seconds: 10, faults: usualFaults },
  ])('seed $seed, $seconds s', { timeout: 90_000 }, async (row) => {
    const options = { processes: 4, dist, ...row }
    const result = await runModel(options)
    const told = await report(`seed ${row.seed}`, options, result)
    expect(result.violations, told.join('\n')).toEqual([])
  })

  test.each(scenarioNames)('when %s', { timeout: 60_000 }, async (name) => {
    const result = await runScenario(name, dist)
    const told = await report(name, { name }, result)
    expect(result.violations, told.join('\n')).toEqual([])
  })
})

describe('the checker sees what is missing', () => {
  test.each(controlNames)('%s: its rule is in the library, once', async (name) => {
    const broken = await breakLibrary(name, dist)
    await removeLibrary(broken)
    expect(broken).toContain(name)
  })

  // The others need several seeds: `npm run test:model -- --control all --seeds 6`.
  test.each(controlNames.filter((name) => controlOf(name).isCaughtAtOnce))(
    '%s is caught',
    { timeout: 60_000 },
    async (name) => {
      const broken = await breakLibrary(name, dist)
      const { scenario, faults = [] } = controlOf(name)
      const run = () => runModel({ seed: 1, seconds: 5, processes: 3, faults, dist: broken })
      const { violations } = scenario ? await runScenario(scenario, broken) : await run()
      await removeLibrary(broken)
      expect(violations).not.toEqual([])
    },
  )
})
