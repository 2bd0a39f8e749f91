import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A Node to run programs with. */
export interface NodeBinary {
  readonly major: number
  readonly version: string
  readonly path: string
}

/** The Node of a major version: this very one, or the one that npx brings. */
export async function nodeOf(major: number): Promise<NodeBinary> {
  if (Number(process.versions.node.split('.')[0]) === major) {
    return { major, version: process.version, path: process.execPath }
  }
  const question = 'JSON.stringify([process.version, process.execPath])'
  const { stdout } = await promisify(execFile)('npx', ['-y', `node@${major}`, '-p', question])
  const [version, path] = JSON.parse(stdout) as [string, string]
  return { major, version, path }
}
