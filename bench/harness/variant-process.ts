/**
 * Runs one variant of a micro bench in this process: `variant-process.js <url of the bench> <variant> <context>`, and the
 * folder of another checkout whose library is to be measured.
 */
import { register } from 'node:module'
import { collectYoungGarbage } from './garbage.ts'
import { answerQuestions } from './program.ts'
import type { VariantContext, Variants, Work } from './variant.ts'

const [, , bench = '', name = '', context = '', folder] = process.argv
if (folder !== undefined) register('./other-checkout.js', import.meta.url, { data: { folder } })
const { variants } = (await import(bench)) as { variants: Variants }
const open = variants[name]
if (!open) throw new Error(`${bench} has no variant ${name}`)
const variant = await open(JSON.parse(context) as VariantContext)

answerQuestions({ round, close: () => variant.close?.() })

async function round(): Promise<Work> {
  await variant.prepare?.()
  collectYoungGarbage()
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const operations = await variant.work()
  const ms = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpuBefore)
  return { operations, ms, cpuUs: user + system }
}
