import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findOrInstallRedis } from './redis-binary.ts'
import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'

export interface RedisOptions {
  /** Arguments of redis-server after our own, which they override. */
  readonly args?: readonly string[]
  /** A free port of the loopback interface by default. */
  readonly port?: number
  /** The path of the server; by default the one that `findOrInstallRedis` answers. */
  readonly binary?: string
}

/** A real Redis server of one test, on the loopback interface, empty at each start. */
export interface RedisServer {
  readonly url: string
  readonly host: string
  readonly port: number
  /** The process that runs now, or ran last. */
  readonly pid: number
  /** Sends a signal. Resolves when the process has ended, or at once for a signal that does not end it. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends the server and removes its files. Stopping a stopped server does nothing. */
  stop(): Promise<void>
  /** The process stands still: connections stay open, new ones are accepted by the kernel, nothing is answered. */
  freeze(): void
  thaw(): void
  /** Starts again, empty, on the same port, after ending the process if it still runs. */
  restart(): Promise<void>
}

const host = '127.0.0.1'
const startDeadlineMs = 10_000

/** Starts a server and waits until it answers. It ends at the latest with the process that started it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findOrInstallRedis())
  let running = await launch(binary, options.args ?? [], options.port)
  const { port } = running
  return {
    url: `redis://${host}:${port}`,
    host,
    port,
    get pid() {
      return running.pid
    },
    async kill(signal = 'SIGKILL') {
      running.process.kill(signal)
      if (endsProcess(signal)) await running.ended
    },
    stop: () => end(running),
    freeze: () => void running.process.kill('SIGSTOP'),
    thaw: () => void running.process.kill('SIGCONT'),
    async restart() {
      await end(running)
      running = await launch(binary, options.args ?? [], port)
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
  /** Resolves when the process is gone and its files are removed. */
  readonly ended: Promise<void>
}

/** A free port may be taken by somebody else before the server listens on it: then another one is tried. */
async function launch(binary: string, args: readonly string[], port?: number): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await launchOn(port ?? (await freePort()), binary, args)
    if (!(outcome instanceof Error)) return outcome
    if (port !== undefined || attempt === 3 || !/in use/i.test(outcome.message)) throw outcome
  }
}

async function launchOn(port: number, binary: string, args: readonly string[]): Promise<Running | Error> {
  const folder = await mkdtemp(join(tmpdir(), 'tiercache-redis-'))
  const logFile = join(folder, 'redis.log')
  const log = openSync(logFile, 'a')
  const own = ['--bind', host, '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder]
  const child = spawn(binary, [...own, ...args], { stdio: ['ignore', log, log], cwd: folder })
  closeSync(log)
  const exited = once(child, 'exit').then(
    ([code, signal]) => `ended with ${signal ?? `code ${code}`}`,
    (error: Error) => `could not be started: ${error.message}`,
  )
  const guard = child.pid === undefined ? undefined : guardOf(child.pid, folder)
  let lastWords = ''
  const ended = exited.then(async () => {
    guard?.stdin?.end('ended\n')
    lastWords = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n')
    await rm(folder, { recursive: true, force: true })
  })
  child.unref()
  const running = { process: child, pid: child.pid ?? -1, port, ended }
  const failed = exited.then(async (how) => {
    await ended
    return new Error(`${binary} on port ${port} ${how}\n${lastWords}`)
  })
  const ready = waitForPong(port).then(async () => ((await servedBy(port, child.pid)) ? running : failed))
  return Promise.race([ready, failed]).catch(async (error: Error) => {
    await end(running)
    return error
  })
}

/**
 * Ends the server when its owner is gone in whatever way, even by SIGKILL: the guard's input then ends without a line.
 * Detached, since a Ctrl-C at a terminal reaches the whole group of processes.
 */
function guardOf(pid: number, folder: string): ChildProcess {
  const script = 'read -r _ || { kill -9 "$1"; rm -rf "$2"; }'
  const guard = spawn('sh', ['-c', script, 'redis-guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  guard.stdin?.on('error', () => {})
  return guard
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
