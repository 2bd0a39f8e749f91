import type { Step } from './plan.ts'
import type { Outcome, Violation } from './run.ts'
import { run } from './run.ts'
import { shrink } from './shrink.ts'
import type { Stage } from './stage.ts'

/** What a run came to, in lines: for a violation, the seed and the shortest order of steps that shows it. */
export async function report(
  stage: Stage,
  seed: number,
  plan: readonly Step[],
  { violation, steps }: Outcome,
): Promise<string[]> {
  if (!violation) return [`seed ${seed}: ${steps} steps, no violation`]
  const shortest = await shortestOrder(stage, plan, violation)
  return [
    `seed ${seed}: ${told(violation)} in step ${violation.at} of ${plan.length}; in ${shortest.length} steps:`,
    ...shortest.map((step) => `  ${line(step)}`),
  ]
}

export function told({ rule, text }: Violation): string {
  return `${rule} ${text}`
}

async function shortestOrder(stage: Stage, plan: readonly Step[], { rule, at }: Violation): Promise<readonly Step[]> {
  return shrink(plan.slice(0, at + 1), async (part) => (await run(stage, part)).violation?.rule === rule)
}

function line({ name, ...rest }: Step): string {
  const values = Object.entries(rest).map(([word, value]) => `${word} ${String(value) || 'none'}`)
  return [name, ...values].join(', ')
}
