import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startRedis, waitForPong } from './redis.ts'
import { ask, fieldsOf } from './redis-deployment.ts'
import { findOrInstallRedis } from './redis-binary.ts'
import type { Machine } from './redis-binary.ts'
import type { Address } from './redis-deployment.ts'
import type { RedisServer } from './redis.ts'

const servers: RedisServer[] = []

async function start(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
  const server = await startRedis(options)
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

/** Where a server keeps its files. */
async function folderOf(server: Address): Promise<string> {
  const { dir = '' } = fieldsOf(await ask(server, 'CONFIG', 'GET', 'dir'))
  return dir
}

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('startRedis', () => {
  test('starts a real, empty server that keeps nothing on disk', async () => {
    const server = await start()
    expect(await ask(server, 'PING')).toBe('PONG')
    expect(await ask(server, 'DBSIZE')).toBe(0)
    expect(await ask(server, 'CONFIG', 'GET', 'save')).toContain('')
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`)
  })

  test('hands arguments on', async () => {
    const server = await start({ args: ['--maxmemory', '10mb'] })
    expect(JSON.stringify(await ask(server, 'CONFIG', 'GET', 'maxmemory'))).toContain('10485760')
  })

  test('stop ends the process and removes its files; a second stop does nothing', async () => {
    const server = await start()
    const folder = await folderOf(server)
    expect(existsSync(folder)).toBe(true)
    await server.stop()
    await server.stop()
    expect(alive(server.pid)).toBe(false)
    expect(existsSync(folder)).toBe(false)
    await expect(waitForPong(server.port, 50)).rejects.toThrow('nobody listens there')
  })

  test('restart comes back empty on the same port, in another process', async () => {
    const server = await start()
    const before = server.pid
    await ask(server, 'SET', 'k', 'v')
    await server.kill('SIGKILL')
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await ask(server, 'GET', 'k')).toBe(null)
  })

  test('restart keeps what the server wrote to its configuration, and no data', async () => {
    const server = await start({ config: '', args: ['--dbfilename', 'dump.rdb'] })
    await ask(server, 'SET', 'k', 'v')
    await ask(server, 'SAVE')
    await ask(server, 'CONFIG', 'SET', 'hz', '42')
    await ask(server, 'CONFIG', 'REWRITE')
    await server.restart()
    expect(await ask(server, 'GET', 'k')).toBe(null)
    expect(await ask(server, 'CONFIG', 'GET', 'hz')).toContain('42')
  })

  test('a killed server can be stopped, which removes its files, and started once more', async () => {
    const server = await start()
    const folder = await folderOf(server)
    await server.kill()
    expect(existsSync(folder)).toBe(true)
    await server.stop()
    expect(existsSync(folder)).toBe(false)
    await server.restart()
    expect(await ask(server, 'PING')).toBe('PONG')
  })

  test('a server says whether it is up', async () => {
    const server = await start()
    expect(server.isUp).toBe(true)
    server.freeze()
    expect(server.isUp).toBe(false)
    server.thaw()
    expect(server.isUp).toBe(true)
    await server.kill()
    expect(server.isUp).toBe(false)
    await server.restart()
    expect(server.isUp).toBe(true)
    server.freeze()
    await server.restart()
    expect(server.isUp).toBe(true)
  })

  test('a drawn port that was taken meanwhile is drawn again', async () => {
    const other = await start()
    const free = await start()
    await free.stop()
    const ports = [other.port, free.port]
    const server = await start({ drawPort: async () => ports.shift() ?? 0 })
    expect(server.port).toBe(free.port)
  })

  test('a frozen server gives one clear error, and answers again once thawed', async () => {
    const server = await start()
    server.freeze()
    await expect(waitForPong(server.port, 200)).rejects.toThrow(
      `No Redis at 127.0.0.1:${server.port} within 200 ms: it accepts connections and does not answer PING`,
    )
    server.thaw()
    await expect(waitForPong(server.port)).resolves.toBeUndefined()
  })

  test('a frozen server can be stopped', async () => {
    const server = await start()
    server.freeze()
    await server.stop()
    expect(alive(server.pid)).toBe(false)
  })

  test('a port in use is an error that quotes the server', async () => {
    const server = await start()
    await expect(start({ port: server.port })).rejects.toThrow(/in use/i)
  })

  test('a server that can not be started is an error that names the file', async () => {
    await expect(start({ binary: '/nowhere/redis-server' })).rejects.toThrow(
      /\/nowhere\/redis-server .*could not be started/,
    )
  })

  test('arguments that the server refuses are an error that quotes it', async () => {
    await expect(start({ args: ['--no-such-option', '1'] })).rejects.toThrow(/ended with code 1[\s\S]*no-such-option/)
  })
})

/** The owner is killed with no chance to clean up. Its server was started twice. */
test('a server does not outlive the process that started it', async () => {
  const program = join(import.meta.dirname, '../../build/test/doubles/redis-owner.program.js')
  const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(owner.stdout, 'data')
  const port = Number(line)
  expect(await waitForPong(port)).toBeUndefined()
  const folder = await folderOf({ host: '127.0.0.1', port })
  expect(existsSync(folder)).toBe(true)
  owner.kill('SIGKILL')
  await vi.waitFor(() => expect(waitForPong(port, 20)).rejects.toThrow('nobody listens'), { timeout: 5_000 })
  await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 5_000 })
})

describe('findOrInstallRedis', () => {
  const bare = (overrides: Partial<Machine> = {}): Machine => ({
    env: { PATH: '/nowhere' },
    isRoot: false,
    brewFolders: [],
    cacheFolder: '/nowhere',
    run: async ([file]) => Promise.reject(new Error(`there is no ${file}`)),
    ...overrides,
  })

  test('without any server there is one error that names the choices', async () => {
    const cacheFolder = await mkdtemp(join(tmpdir(), 'tiercache-no-redis-'))
    const error = await findOrInstallRedis(bare({ cacheFolder })).catch((reason: Error) => reason.message)
    await rm(cacheFolder, { recursive: true })
    expect(error).toMatchInlineSnapshot(`
      "The tests need a real Redis, and none was found or could be installed. Any one of these helps:
        - REDIS_SERVER_BIN=/path/to/redis-server (Redis 6.2 or later, or Valkey)
        - redis-server or valkey-server on PATH
        - brew install redis
        - apt-get install redis-server, dnf install valkey, or apk add redis (as root)
      Tried to install it: there is no brew; there is no sudo; there is no apt-get."
    `)
  })

  test('REDIS_SERVER_BIN comes first, and is never passed over in silence', async () => {
    const real = await findOrInstallRedis()
    const run = async () => 'Redis server v=7.0.15'
    expect(await findOrInstallRedis(bare({ env: { REDIS_SERVER_BIN: real }, run }))).toBe(real)
    await expect(findOrInstallRedis(bare({ env: { REDIS_SERVER_BIN: '/nowhere/redis-server' }, run }))).rejects.toThrow(
      'REDIS_SERVER_BIN is /nowhere/redis-server: that is no Redis',
    )
  })

  test('a server before 6.2 is none', async () => {
    const real = await findOrInstallRedis()
    const version = (text: string) => bare({ env: { REDIS_SERVER_BIN: real }, run: async () => text })
    await expect(findOrInstallRedis(version('Redis server v=6.0.16 sha=0'))).rejects.toThrow('6.2 or later')
    expect(await findOrInstallRedis(version('Redis server v=6.2.0 sha=0'))).toBe(real)
    expect(await findOrInstallRedis(version('Valkey server v=8.0.1 sha=0'))).toBe(real)
  })

  /** A machine with apt-get and nothing else, on which a command of a given kind brings the server. */
  async function withAptGet(isRoot: boolean, sudo: boolean, bringsServer: RegExp) {
    const folder = await mkdtemp(join(tmpdir(), 'tiercache-apt-'))
    const executable = (name: string) => writeFileSync(join(folder, name), '', { mode: 0o755 })
    executable('apt-get')
    const commands: string[] = []
    const run: Machine['run'] = async (command) => {
      const line = command.join(' ')
      if (line.endsWith('--version')) return 'Redis server v=7.0.15'
      commands.push(line)
      if (/^brew/.test(line) || (/^sudo/.test(line) && !sudo)) throw new Error(`there is no ${command[0]}`)
      if (bringsServer.test(line)) executable('redis-server')
      return ''
    }
    const found = await findOrInstallRedis(
      bare({ env: { PATH: folder }, isRoot, cacheFolder: join(folder, 'cache'), run }),
    ).catch(String)
    await rm(folder, { recursive: true })
    return { found: found.replace(folder, ''), commands }
  }

  test('as root it updates the lists and installs', async () => {
    expect(await withAptGet(true, false, /install/)).toMatchInlineSnapshot(`
      {
        "commands": [
          "brew install redis",
          "sh -c env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update || true",
          "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends redis-server",
        ],
        "found": "/redis-server",
      }
    `)
  })

  test('with sudo it does the same, and never asks for a password', async () => {
    expect(await withAptGet(false, true, /install/)).toMatchInlineSnapshot(`
      {
        "commands": [
          "brew install redis",
          "sudo -n true",
          "sudo -n sh -c env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update || true",
          "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends redis-server",
        ],
        "found": "/redis-server",
      }
    `)
  })

  test('without root it downloads packages to unpack them', async () => {
    const { commands } = await withAptGet(false, false, /never/)
    expect(commands).toMatchInlineSnapshot(`
      [
        "brew install redis",
        "sudo -n true",
        "apt-get download redis-server redis-tools libjemalloc2 liblzf1 libatomic1",
      ]
    `)
  })
})
