import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findOrInstallRedis } from './redis-binary.ts'
import { furnish } from './redis-home.ts'
import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { Home } from './redis-home.ts'

export interface RedisOptions {
  /** Arguments of redis-server after our own, which they override; told the port, where they depend on it. */
  readonly args?: readonly string[] | ((port: number) => readonly string[])
  /** Without it a free port of the loopback interface is drawn. */
  readonly port?: number
  /** Where a free port comes from; asked again when somebody took it meanwhile. By default the kernel. */
  readonly drawPort?: () => Promise<number>
  /** The text of a configuration file, which the server may write to. */
  readonly config?: string
  /** The path of the server; by default the one that `findOrInstallRedis` answers. */
  readonly binary?: string
}

/** A real Redis server of one test, on the loopback interface, without data at each start. */
export interface RedisServer {
  readonly url: string
  readonly host: string
  readonly port: number
  /** The process that runs now, or ran last. */
  readonly pid: number
  /** Whether the process runs and does not stand still. */
  readonly isUp: boolean
  /** Sends a signal. Resolves when the process has ended, or at once for a signal that does not end it. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends the server and removes its files. Stopping a stopped server does nothing. */
  stop(): Promise<void>
  /** The process stands still: connections stay open, new ones are accepted by the kernel, nothing is answered. */
  freeze(): void
  thaw(): void
  /**
   * Starts again on the same port, after ending the process if it still runs. It has lost its data, unless its arguments
   * say where to keep them, and still has what it wrote to its configuration: its role, its name in a cluster.
   */
  restart(): Promise<void>
}

const host = '127.0.0.1'
const startDeadlineMs = 10_000

/** Starts a server and waits until it answers. It ends at the latest with the process that started it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findOrInstallRedis())
  let home = await furnish(options.config)
  let running = await launch(binary, home, options).catch(async (error: Error) => {
    await home.leave()
    throw error
  })
  let isFrozen = false
  const { port } = running
  const send = (signal: NodeJS.Signals) => {
    running.process.kill(signal)
    if (signal === 'SIGSTOP') isFrozen = true
    if (signal === 'SIGCONT') isFrozen = false
  }
  return {
    url: `redis://${host}:${port}`,
    host,
    port,
    get pid() {
      return running.pid
    },
    get isUp() {
      return !isFrozen && running.process.exitCode === null && running.process.signalCode === null
    },
    async kill(signal = 'SIGKILL') {
      send(signal)
      if (endsProcess(signal)) await running.ended
    },
    async stop() {
      await end(running)
      await home.leave()
    },
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
    async restart() {
      await end(running)
      isFrozen = false
      if (!existsSync(home.folder)) home = await furnish(options.config)
      await rm(join(home.folder, 'dump.rdb'), { force: true })
      running = await launch(binary, home, { ...options, port })
    },
  }
}

/** Resolves when a Redis answers PING; else rejects, saying whether nobody listens or nobody answers. */
export async function waitForPong(port: number, deadlineMs = startDeadlineMs): Promise<void> {
  const deadlineAt = performance.now() + deadlineMs
  let answer = await ping(port, deadlineMs)
  while (answer !== 'pong') {
    const leftMs = deadlineAt - performance.now()
    if (leftMs <= 0) throw new Error(noPong(answer, port, deadlineMs))
    await sleep(Math.min(20, leftMs))
    answer = await ping(port, Math.max(1, deadlineAt - performance.now()))
  }
}

/** One process of a server, from its start to its end. */
interface Running {
  readonly process: ChildProcess
  readonly pid: number
  readonly port: number
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
}

/** A drawn port may be taken by somebody else before the server listens on it: then another one is drawn. */
async function launch(binary: string, home: Home, options: RedisOptions): Promise<Running> {
  const { port, drawPort = freePort } = options
  for (let attempt = 1; ; attempt++) {
    const outcome = await launchOn(port ?? (await drawPort()), binary, home, options)
    if (!(outcome instanceof Error)) return outcome
    if (port !== undefined || attempt === 3 || !/in use/i.test(outcome.message)) throw outcome
  }
}

async function launchOn(port: number, binary: string, home: Home, options: RedisOptions): Promise<Running | Error> {
  const logFile = join(home.folder, 'redis.log')
  const log = openSync(logFile, 'a')
  const config = home.configFile ? [home.configFile] : []
  const own = ['--bind', host, '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', home.folder]
  const { args = [] } = options
  const child = spawn(binary, [...config, ...own, ...(typeof args === 'function' ? args(port) : args)], {
    stdio: ['ignore', log, log],
    cwd: home.folder,
  })
  closeSync(log)
  const exited = once(child, 'exit').then(
    ([code, signal]) => `ended with ${signal ?? `code ${code}`}`,
    (error: Error) => `could not be started: ${error.message}`,
  )
  home.shelters(child.pid)
  const ended = exited.then(() => home.shelters(undefined))
  child.unref()
  const running = { process: child, pid: child.pid ?? -1, port, ended }
  const failed = exited.then(async (how) => {
    const lastWords = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n')
    return new Error(`${binary} on port ${port} ${how}\n${lastWords}`)
  })
  const ready = waitForPong(port).then(async () => ((await servedBy(port, child.pid)) ? running : failed))
  return Promise.race([ready, failed]).catch(async (error: Error) => {
    await end(running)
    return error
  })
}

async function end(running: Running): Promise<void> {
  running.process.ref()
  running.process.kill('SIGCONT')
  running.process.kill('SIGTERM')
  const tooLate = setTimeout(() => running.process.kill('SIGKILL'), 3_000)
  await running.ended
  clearTimeout(tooLate)
}

function endsProcess(signal: NodeJS.Signals): boolean {
  return !['SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'].includes(signal)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** What a PING came to. `silent` is a server that is frozen or far too busy; `loading` one that will answer soon. */
type Answer = 'pong' | 'loading' | 'refused' | 'silent'

async function ping(port: number, timeoutMs: number): Promise<Answer> {
  const reply = await ask(port, 'PING', timeoutMs)
  if (reply === 'refused' || reply === 'silent') return reply
  return /^\+PONG|^-NOAUTH/.test(reply) ? 'pong' : 'loading'
}

/** Whether the Redis at a port is this process, and not an earlier one that keeps the port. */
async function servedBy(port: number, pid: number | undefined): Promise<boolean> {
  const reply = await ask(port, 'INFO server', 1_000)
  const [, found] = /process_id:(\d+)/.exec(reply) ?? []
  return found === undefined || Number(found) === pid
}

/** The first bytes of the reply to one command, over a plain socket. */
function ask(port: number, command: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    const settle = (reply: string) => {
      socket.destroy()
      resolve(reply)
    }
    socket.setTimeout(timeoutMs, () => settle('silent'))
    socket.on('connect', () => socket.write(`${command}\r\n`))
    socket.on('data', (bytes) => settle(bytes.toString('latin1')))
    socket.on('error', () => settle('refused'))
    socket.on('end', () => settle('refused'))
  })
}

function noPong(answer: Exclude<Answer, 'pong'>, port: number, deadlineMs: number): string {
  const reasons = {
    refused: 'nobody listens there',
    silent: 'it accepts connections and does not answer PING: the process is frozen, or the machine is overloaded',
    loading: 'it answers PING with an error: it is still loading, or it is no Redis',
  }
  return `No Redis at ${host}:${port} within ${deadlineMs} ms: ${reasons[answer]}.`
}
