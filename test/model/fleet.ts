import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import type { CacheOptions } from '../../src/cache/cache-options.ts'
import { programsFolder } from './library.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import type { Call } from './operations.ts'
import { monotonicMs } from './stall-meter.ts'
import { natMapOf } from './nat-map.ts'
import type { Servers } from './servers.ts'
import { Way } from './way.ts'

export type Done = FromWorker & { type: 'done' }
export type State = FromWorker & { type: 'state' }

/** A call that was asked for. */
export interface OpenCall {
  readonly call: Call
  readonly askedAt: number
}

/** Told of what processes say by themselves. */
export interface FleetListener {
  load(
    process: string,
    key: string,
    answer: (message: Omit<ToWorker & { type: 'loaded' }, 'type' | 'id'>) => void,
  ): void
  said(process: string, message: FromWorker): void
}

export interface FleetSettings {
  readonly size: number
  readonly dist: string
  readonly cache: CacheOptions
  readonly namespaces: Readonly<Record<string, object>>
  readonly epochMs: number
  readonly ioredis: WorkerStart['ioredis']
  readonly servers: Pick<Servers, 'ends' | 'sourceFor'>
}

/** Several processes with a cache each, every one behind fault proxies of its own. */
export class Fleet {
  readonly members: readonly Member[]

  private constructor(members: readonly Member[]) {
    this.members = members
  }

  static async start(settings: FleetSettings, listener: FleetListener): Promise<Fleet> {
    const slots = Array.from({ length: settings.size }, (_, index) => `w${index + 1}`)
    return new Fleet(await Promise.all(slots.map((slot) => Member.start(slot, settings, listener))))
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()))
  }
}

/** A place in the fleet: its process may be killed and started again, its proxies stay. */
export class Member {
  readonly slot: string
  readonly commands: Way
  readonly subscriber: Way
  readonly #open = new Map<number, OpenCall>()
  readonly #settings: FleetSettings
  readonly #listener: FleetListener
  readonly #waiting = new Map<number, (message: Done | State | undefined) => void>()
  #child: ChildProcess | undefined
  #ready: Promise<void> = Promise.resolve()
  #instances = 0
  #isEnding = false
  #ids = 0

  private constructor(slot: string, settings: FleetSettings, listener: FleetListener, commands: Way, subscriber: Way) {
    this.slot = slot
    this.#settings = settings
    this.#listener = listener
    this.commands = commands
    this.subscriber = subscriber
  }

  static async start(slot: string, settings: FleetSettings, listener: FleetListener): Promise<Member> {
    const { ends } = settings.servers
    const [commands, subscriber] = await Promise.all([Way.start(ends), Way.start(ends)])
    const member = new Member(slot, settings, listener, commands, subscriber)
    await member.#spawn()
    return member
  }

  /** The process that runs now: a new one has a new name. */
  get process(): string {
    return `${this.slot}.${this.#instances}`
  }

  /** Asks for a call. No `done` when the process ended before it answered. */
  async call(call: Call): Promise<{ readonly process: string; readonly done: Done | undefined }> {
    const number = ++this.#ids
    this.#open.set(number, { call, askedAt: monotonicMs() - this.#settings.epochMs })
    try {
      await this.#ready
      const { process } = this
      return { process, done: (await this.#ask((id) => ({ type: 'call', id, call }))) as Done | undefined }
    } finally {
      this.#open.delete(number)
    }
  }

  /** Calls that were not answered yet, the oldest first. */
  get open(): readonly OpenCall[] {
    return [...this.#open.values()]
  }

  async state(): Promise<State | undefined> {
    await this.#ready
    return (await this.#ask((id) => ({ type: 'state', id }))) as State | undefined
  }

  tell(message: ToWorker): void {
    this.#send(message)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  /** Kills the process and starts another one in its place. */
  async replace(): Promise<void> {
    await this.#end()
    await this.#spawn()
  }

  async stop(): Promise<void> {
    await this.#end()
    await Promise.all([this.commands.stop(), this.subscriber.stop()])
  }

  #ask(build: (id: number) => ToWorker): Promise<Done | State | undefined> {
    const id = ++this.#ids
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      if (!this.#send(build(id))) this.#settle(id, undefined)
    })
  }

  /** Answers whether there is a process to send to. What one that has just been killed does not get needs no answer. */
  #send(message: ToWorker): boolean {
    if (!this.#child?.connected) return false
    this.#child.send(message, () => {})
    return true
  }

  #settle(id: number, message: Done | State | undefined): void {
    const resolve = this.#waiting.get(id)
    this.#waiting.delete(id)
    resolve?.(message)
  }

  #spawn(): Promise<void> {
    const { dist, ioredis, cache, namespaces, epochMs, servers } = this.#settings
    const [commandsPorts, subscriberPorts] = [this.commands.ports, this.subscriber.ports]
    this.#instances++
    const start: WorkerStart = {
      process: this.process,
      dist,
      ioredis,
      redis: servers.sourceFor(commandsPorts),
      subscriberNatMap: natMapOf(servers.ends, subscriberPorts),
      commandsPorts,
      subscriberPorts,
      cache,
      namespaces,
      epochMs,
    }
    // `execArgv`: what this process was started with (a test runner's loader) is nothing to a compiled program. Each
    // outage is a warning, which is expected here.
    const child = fork(join(programsFolder, 'worker.program.js'), [JSON.stringify(start)], {
      execArgv: ['--no-warnings'],
    })
    this.#child = child
    const name = this.process
    this.#ready = new Promise((resolve, reject) => {
      child.on('message', (message: FromWorker) => {
        if (message.type === 'ready') resolve()
        this.#heard(name, child, message)
      })
      child.once('exit', (code, signal) => {
        const text = `ended with ${signal ?? code}`
        if (!this.#isEnding) this.#listener.said(name, { type: 'incident', at: Number.POSITIVE_INFINITY, text })
        for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined)
        reject(new Error(`${name} ended with ${signal ?? code} before it was ready`))
      })
    })
    this.#ready.catch(() => {})
    return this.#ready
  }

  #heard(name: string, child: ChildProcess, message: FromWorker): void {
    if (message.type === 'done' || message.type === 'state') this.#settle(message.id, message)
    if (message.type === 'load') {
      this.#listener.load(name, message.key, (answer) => {
        if (child.connected) child.send({ type: 'loaded', id: message.id, ...answer } satisfies ToWorker, () => {})
      })
    }
    this.#listener.said(name, message)
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    this.#isEnding = true
    child.kill('SIGKILL')
    await ended
    this.#isEnding = false
  }
}
