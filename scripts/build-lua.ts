/**
 * Writes src/redis/lua.generated.ts from the scripts in src/redis/lua. With `--check` it writes nothing, and fails when
 * the file on disk is not what it would write.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildScript, renderModule } from './lua-source.ts'
import type { Sources } from './lua-source.ts'

const folder = 'src/redis/lua'
const target = 'src/redis/lua.generated.ts'

try {
  const rendered = render()
  if (!process.argv.includes('--check')) writeFileSync(target, rendered)
  else if (readIfThere(target) !== rendered) throw new Error(`${target} is out of date: run npm run build:lua`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function render(): string {
  const includes = readFolder(join(folder, 'includes'))
  const sources = Object.entries(readFolder(folder))
  if (sources.length === 0) throw new Error(`${folder} holds no script`)
  return renderModule(Object.fromEntries(sources.map(([name, source]) => [name, buildScript(name, source, includes)])))
}

function readFolder(path: string): Sources {
  const files = readdirSync(path).filter((file) => file.endsWith('.lua'))
  return Object.fromEntries(
    files.sort().map((file) => [basename(file, '.lua'), readFileSync(join(path, file), 'utf8')]),
  )
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
