import { Performance } from './performance.ts'
import type { Step } from './plan.ts'
import type { Rule } from './rule.ts'
import { Contradiction } from './rule.ts'
import type { Stage } from './stage.ts'

/** What contradicts the specification. `at`: the number of the step. */
export interface Violation {
  readonly rule: Rule
  readonly text: string
  readonly at: number
}

export interface Outcome {
  readonly violation: Violation | undefined
  readonly steps: number
  /** How often each step came to each end. */
  readonly counts: Readonly<Record<string, number>>
}

/** Performs a plan on an empty Redis, up to the first step that contradicts the specification. */
export async function run(stage: Stage, plan: readonly Step[]): Promise<Outcome> {
  const performance = new Performance(stage.admin, await stage.open())
  const counts: Record<string, number> = {}
  for (const [at, step] of plan.entries()) {
    try {
      const ended = `${step.name} ${await performance.step(step)}`.trim()
      counts[ended] = (counts[ended] ?? 0) + 1
    } catch (error) {
      const rule = error instanceof Contradiction ? error.rule : 'error'
      const text = error instanceof Contradiction ? error.message : String(error)
      return { violation: { rule, text, at }, steps: at + 1, counts }
    }
  }
  return { violation: undefined, steps: plan.length, counts }
}
