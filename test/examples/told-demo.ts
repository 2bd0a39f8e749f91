import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')

/** What the README says that a script of `package.json` prints. */
export function toldOf(script: string): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, told] = new RegExp(`^\\$ npm run -s ${script}\\n([^\`]*)^\`\`\`$`, 'm').exec(readme) ?? []
  if (told === undefined) throw new Error(`the README does not tell what ${script} prints`)
  return told
}

/** What a program of this folder prints. */
export async function saidBy(program: string): Promise<string> {
  const file = join(root, 'build/test/examples', program)
  return (await promisify(execFile)(process.execPath, [file])).stdout
}
