import type { Control } from './controls.ts'
import { drawPlan } from './plan.ts'
import type { Violation } from './run.ts'
import { run } from './run.ts'
import type { Stage } from './stage.ts'

/** The run that saw the rule broken. `steps`: of all runs until then. */
export interface Caught {
  readonly seed: number
  readonly steps: number
  readonly violation: Violation
}

/** Runs seeds on an altered stage until one sees the control's rule broken. */
export async function catchControl(
  stage: Stage,
  { breaks }: Control,
  { first, seeds, steps }: { readonly first: number; readonly seeds: number; readonly steps: number },
): Promise<Caught | undefined> {
  let done = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const { violation, steps: taken } = await run(stage, drawPlan(seed, steps))
    done += taken
    if (violation?.rule === breaks) return { seed, steps: done, violation }
  }
  return undefined
}
