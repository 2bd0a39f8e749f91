import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder of a server, from its first start to its stop, over all its processes. */
export interface Home {
  readonly folder: string
  /** The path of the configuration file, if there is one. */
  readonly configFile: string | undefined
  /** The process that is to end with its owner; none while the server is down. */
  shelters(pid: number | undefined): void
  /** Removes the folder. */
  leave(): Promise<void>
}

/**
 * When the owner is gone in whatever way, even by SIGKILL, the guard ends the server and removes the folder: its input,
 * a line for each process that runs or has ended, is over then. Detached, since a Ctrl-C at a terminal reaches the whole
 * group of processes.
 */
export async function furnish(config?: string): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'tiercache-redis-'))
  const configFile = join(folder, 'redis.conf')
  if (config !== undefined) await writeFile(configFile, config)
  const script = 'pid=; while read -r line; do pid=$line; done; [ -z "$pid" ] || kill -9 "$pid"; rm -rf "$1"'
  const guard = spawn('sh', ['-c', script, 'redis-guard', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  guard.stdin.on('error', () => {})
  return {
    folder,
    configFile: config === undefined ? undefined : configFile,
    shelters: (pid) => void guard.stdin.write(`${pid ?? ''}\n`),
    async leave() {
      guard.stdin.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
