import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startRedis } from './doubles/redis.ts'
import { findOrInstallRedis } from './doubles/redis-binary.ts'

const root = join(import.meta.dirname, '..')

/**
 * Runs once before all test files: a Redis server is found, and the compiled programs that tests start as child
 * processes are brought up to date. Workers inherit the path of the server as `REDIS_SERVER_BIN`.
 */
export default async function setup(): Promise<void> {
  const [server] = await Promise.all([findOrInstallRedis(), compileIfStale()])
  process.env.REDIS_SERVER_BIN = server
  // One that is frozen or does not listen is told once, here, and not by every test file.
  await (await startRedis()).stop()
}

/** Type errors do not stop the tests: the compiler writes its output all the same, and the type check reports them. */
async function compileIfStale(): Promise<void> {
  const sources = Math.max(...['src', 'examples', 'bench', 'test'].map(newestIn))
  if (sources <= modifiedAt(join(root, 'dist/index.js'))) return
  for (const project of ['tsconfig.build.json', 'tsconfig.programs.json']) {
    await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', project], { cwd: root }).catch(
      ({ stdout }) => {
        process.stderr.write(`${project} was compiled with errors; child processes of tests may fail.\n${stdout}`)
      },
    )
  }
}

/** The time of the last change of a file that the compiler reads: all of a folder, but of `test/` only its programs. */
function newestIn(folder: string): number {
  const path = join(root, folder)
  if (modifiedAt(path) === 0) return 0
  const isInput = folder === 'test' ? /\.program\.ts$/ : /\.ts$/
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => isInput.test(file))
  return Math.max(0, ...files.map((file) => modifiedAt(join(path, file))))
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
