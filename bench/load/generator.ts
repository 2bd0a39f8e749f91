import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Result } from 'autocannon'

/** What sends requests, in a process of its own. */
export interface Generator {
  readonly name: string
  /** Asks for one URL as fast as it is answered. Answers requests per second; rejects if any was answered by an error. */
  run(url: string, connections: number, seconds: number): Promise<number>
}

const WRK = 'wrk'

/** wrk, which leaves most of the machine to the server, if there is one; else autocannon. */
export function findGenerator(): Generator {
  try {
    execFileSync(WRK, ['--version'], { stdio: 'ignore' })
  } catch (error) {
    // wrk --version prints its version and ends with 1.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return autocannon
  }
  return wrk
}

const wrk: Generator = {
  name: WRK,
  run: async (url, connections, seconds) => {
    const { stdout } = await promisify(execFile)(WRK, ['-t1', `-c${connections}`, `-d${seconds}s`, url])
    const failures = /Non-2xx.*|Socket errors.*/.exec(stdout)
    const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
    if (failures || !(perSecond > 0)) throw new Error(`wrk: ${failures?.[0] ?? stdout}`)
    return perSecond
  },
}

const autocannon: Generator = {
  name: 'autocannon',
  run: async (url, connections, seconds) => {
    const file = fileURLToPath(import.meta.resolve('autocannon'))
    const args = [file, '--json', '-c', String(connections), '-d', String(seconds), url]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { requests, errors, non2xx, duration } = JSON.parse(stdout) as Result
    if (errors + non2xx > 0) throw new Error(`autocannon: ${errors} errors, ${non2xx} answers other than 2xx`)
    return requests.total / duration
  },
}
