import { execFile } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** What the search sees of a machine. Tests hand in a poorer one. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isRoot: boolean
  readonly brewFolders: readonly string[]
  readonly cacheFolder: string
  run(command: readonly string[], cwd?: string, deadlineMs?: number): Promise<string>
}

/**
 * The path of a Redis or Valkey server of 6.2 or later: the one of `REDIS_SERVER_BIN`, else one on PATH, in Homebrew's
 * folders or in the cache folder, else one that is installed now. Rejects with one error that names the choices.
 */
export async function findOrInstallRedis(machine: Machine = thisMachine()): Promise<string> {
  const named = machine.env.REDIS_SERVER_BIN
  if (named) {
    if (await isServer(machine, named)) return named
    throw new Error(`REDIS_SERVER_BIN is ${named}: that is no Redis or Valkey server of 6.2 or later that starts.`)
  }
  const found = await find(machine)
  if (found) return found
  const tried: string[] = []
  for (const install of [withBrew, withSystemPackages, withUnpackedPackages]) {
    await install(machine).catch((error) => tried.push(firstLine(error)))
    const installed = await find(machine)
    if (installed) return installed
  }
  throw new Error(noServer(tried))
}

async function find(machine: Machine): Promise<string | undefined> {
  const onPath = (machine.env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const folder of [...onPath, ...machine.brewFolders, machine.cacheFolder]) {
    for (const name of ['redis-server', 'valkey-server']) {
      const path = join(folder, name)
      if (await isServer(machine, path)) return path
    }
  }
  return undefined
}

/** Two figures of the version decide: scripts and commands need 6.2. */
async function isServer(machine: Machine, path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    const [, major, minor] = /server v=(\d+)\.(\d+)/.exec(await machine.run([path, '--version'], undefined, 5000)) ?? []
    return Number(major) * 100 + Number(minor) >= 602
  } catch {
    return false
  }
}

async function withBrew(machine: Machine): Promise<void> {
  await machine.run(['brew', 'install', 'redis'])
}

async function withSystemPackages(machine: Machine): Promise<void> {
  const asRoot = machine.isRoot ? [] : ['sudo', '-n']
  if (!machine.isRoot) await machine.run(['sudo', '-n', 'true'])
  for (const [tool, ...attempts] of systemPackages) {
    if (!(await hasTool(machine, tool))) continue
    for (const commands of attempts) {
      const outcome = await runAll(machine, asRoot, commands)
      if (outcome === 'done') return
    }
    throw new Error(`${tool} could not install Redis`)
  }
  throw new Error('there is none of apt-get, dnf and apk')
}

type Attempt = readonly (readonly string[])[]

const aptGet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=120']

/** A package manager, and the ways to install a server with it, each a list of commands. */
const systemPackages: readonly (readonly [tool: string, ...attempts: Attempt[]])[] = [
  // The lists of a third-party source may be out of reach: what counts is whether the installation succeeds.
  [
    'apt-get',
    [
      ['sh', '-c', `${aptGet.join(' ')} update || true`],
      [...aptGet, 'install', '-y', '--no-install-recommends', 'redis-server'],
    ],
  ],
  ['dnf', [['dnf', 'install', '-y', 'valkey']], [['dnf', 'install', '-y', 'redis']]],
  ['apk', [['apk', 'add', '--no-cache', 'redis']], [['apk', 'add', '--no-cache', 'valkey']]],
]

async function runAll(machine: Machine, asRoot: readonly string[], commands: Attempt): Promise<'done' | 'failed'> {
  try {
    for (const command of commands) await machine.run([...asRoot, ...command])
    return 'done'
  } catch {
    return 'failed'
  }
}

/**
 * Without root: Debian's packages, unpacked to the cache folder. `redis-server` is a link into `redis-tools`, so both are
 * needed. The server is reached through a wrapper that names the folder of its libraries and then becomes the server.
 */
async function withUnpackedPackages(machine: Machine): Promise<void> {
  await mkdir(machine.cacheFolder, { recursive: true })
  const work = await mkdtemp(join(machine.cacheFolder, 'unpack-'))
  try {
    await downloadPackages(machine, work)
    const files = await readdir(work)
    for (const file of files.filter((name) => name.endsWith('.deb')))
      await machine.run(['dpkg', '-x', file, 'root'], work)
    await adopt(machine, work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const debianPackages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']

/** A bare machine has no package lists, and only root may fill the shared ones: then lists of our own are used. */
async function downloadPackages(machine: Machine, work: string): Promise<void> {
  const download = ['download', ...debianPackages]
  try {
    await machine.run(['apt-get', ...download], work)
  } catch {
    const own = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/archives`]
    await mkdir(join(work, 'lists/partial'), { recursive: true })
    await mkdir(join(work, 'archives/archives/partial'), { recursive: true })
    await machine.run(['apt-get', ...own, 'update'], work)
    await machine.run(['apt-get', ...own, ...download], work)
  }
}

/** Moves the unpacked files into their place in one step each, since another test run may be looking for them. */
async function adopt(machine: Machine, work: string): Promise<void> {
  const home = join(machine.cacheFolder, `root-${process.pid}`)
  await rm(home, { recursive: true, force: true })
  await rename(join(work, 'root'), home)
  const libraries = (await readdir(join(home, 'usr/lib'))).map((folder) => join(home, 'usr/lib', folder))
  const wrapper = join(work, 'redis-server')
  const lines = ['#!/bin/sh', `LD_LIBRARY_PATH='${libraries.join(':')}' exec '${home}/usr/bin/redis-server' "$@"`, '']
  await writeFile(wrapper, lines.join('\n'), { mode: 0o755 })
  await rename(wrapper, join(machine.cacheFolder, 'redis-server'))
}

async function hasTool(machine: Machine, tool: string): Promise<boolean> {
  const folders = [...(machine.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(Boolean)
  const checks = folders.map((folder) =>
    access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    ),
  )
  return (await Promise.all(checks)).includes(true)
}

function noServer(tried: readonly string[]): string {
  return [
    'The tests need a real Redis, and none was found or could be installed. Any one of these helps:',
    '  - REDIS_SERVER_BIN=/path/to/redis-server (Redis 6.2 or later, or Valkey)',
    '  - redis-server or valkey-server on PATH',
    '  - brew install redis',
    '  - apt-get install redis-server, dnf install valkey, or apk add redis (as root)',
    `Tried to install it: ${tried.join('; ')}.`,
  ].join('\n')
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}

function thisMachine(): Machine {
  const caches = join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache')
  return {
    env: process.env,
    isRoot: process.getuid?.() === 0,
    brewFolders: ['/opt/homebrew/bin', '/usr/local/bin', '/home/linuxbrew/.linuxbrew/bin'],
    cacheFolder: join(process.env.XDG_CACHE_HOME || caches, 'tiercache', 'redis'),
    run: async ([file = '', ...args], cwd = tmpdir(), timeout = 300_000) => {
      const limits = { timeout, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 } as const
      const { stdout } = await promisify(execFile)(file, args, { cwd, ...limits })
      return stdout
    },
  }
}
