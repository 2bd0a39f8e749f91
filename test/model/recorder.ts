import { setTimeout as sleep } from 'node:timers/promises'
import { bucketOf, localId, ROOT_NAMESPACE } from '../../src/entry/key.ts'
import type { CacheOptions } from '../../src/cache/cache-options.ts'
import type { InvalidationSubject } from '../../src/events.ts'
import type { RedisServer } from '../doubles/redis.ts'
import type { Violation } from './checker.ts'
import { check } from './checker.ts'
import type { Database } from './database.ts'
import type { Done, Member, State } from './fleet.ts'
import { Fleet } from './fleet.ts'
import type { Fault, History, Read } from './history.ts'
import { emptyHistory } from './history.ts'
import type { FromWorker, WorkerStart } from './messages.ts'
import type { Call, ModelKey, OperationName } from './operations.ts'
import { operationOf } from './operations.ts'
import type { Servers } from './servers.ts'
import { CLUSTER_BUCKETS } from './servers.ts'
import type { ServersNeeded } from './start-servers.ts'
import { startServers } from './start-servers.ts'
import { monotonicMs, StallMeter } from './stall-meter.ts'

export const STALENESS_MS = 1000
export const COMMAND_MS = 250
export const LOAD_MS = 900
export const PREFIX = 'model'
const LEASE_MS = 1500
const WAIT_MS = 3000
export const FAILOVER_MS = 2500
/** How long the processes get to be well again: the longest pause of the breaker, a new connection, and some. */
const RECOVERY_MS = 12_000
/**
 * How often the processes get to hear of changes, and how long each time: longer than gaps of one reason may wait to be
 * counted (src/cache/incidents.ts).
 */
const HEARING_ROUNDS = 10
const HEARING_MS = 1500
/** How long the processes get to connect at first. */
const START_MS = 10_000
/** How long the failure of a load is shared by those who ask. */
const FAILED_LOAD_MS = 600

export interface RecorderSettings {
  readonly seed: number
  readonly processes: number
  /** The folder of the compiled library. */
  readonly dist: string
  readonly database: Database
  readonly keys: readonly ModelKey[]
  readonly servers: ServersNeeded
  readonly ioredis: WorkerStart['ioredis']
  readonly cache: CacheOptions
  readonly namespaces: Readonly<Record<string, object>>
}

export interface ModelResult {
  readonly history: History
  readonly violations: readonly Violation[]
  /** How often each operation and fault was run, and sums of the caches' own counters. */
  readonly counts: Readonly<Record<'operations' | 'faults' | 'counters', Readonly<Record<string, number>>>>
}

/** Processes, their server and the database behind them; everything that is done with them is put into the history. */
export class Recorder {
  readonly servers: Servers
  readonly history: History
  readonly #settings: RecorderSettings
  readonly #epochMs = monotonicMs()
  readonly #stalls: StallMeter
  readonly #counters = new Map<string, Readonly<Record<string, number>>>()
  #fleet: Fleet | undefined
  #ids = 0

  private constructor(settings: RecorderSettings, servers: Servers) {
    this.servers = servers
    this.#settings = settings
    const bounds = {
      stalenessMs: STALENESS_MS,
      commandMs: COMMAND_MS,
      waitMs: WAIT_MS,
      loadMs: LOAD_MS,
      failoverMs: FAILOVER_MS,
    }
    const buckets = settings.keys.map(({ name, namespace, key }) => {
      const id = localId(namespace === '' ? ROOT_NAMESPACE : namespace, key)
      return [name, bucketOf(id, servers.buckets)] as const
    })
    this.history = emptyHistory(settings.seed, bounds, Object.fromEntries(buckets))
    this.#stalls = new StallMeter((start, end) => {
      this.history.stalls.push({ process: 'driver', start: start - this.#epochMs, end: end - this.#epochMs })
    })
  }

  static async start(settings: RecorderSettings): Promise<Recorder> {
    const servers = await startServers(settings.servers)
    const recorder = new Recorder(settings, servers)
    try {
      await recorder.#startFleet()
      await recorder.connected()
    } catch (error) {
      await recorder.stop()
      throw error
    }
    return recorder
  }

  async #startFleet(): Promise<void> {
    const { dist, ioredis, processes: size, cache, namespaces, database } = this.#settings
    const { defaults, ...rest } = cache
    const times = { maxStaleness: STALENESS_MS, commandTimeout: COMMAND_MS, lease: LEASE_MS }
    this.#fleet = await Fleet.start(
      {
        size,
        dist,
        ioredis,
        servers: this.servers,
        cache: {
          prefix: PREFIX,
          clusterBuckets: CLUSTER_BUCKETS,
          ...times,
          ...rest,
          defaults: { waitTimeout: WAIT_MS, ...defaults },
        },
        namespaces,
        epochMs: this.#epochMs,
      },
      {
        load: (_process, key, answer) => database.load(key, (version, outcome) => answer({ version, outcome })),
        said: (process, message) => this.#said(process, message),
      },
    )
  }

  /**
   * Resolves when all processes ask L2 and owe it nothing. Until then one loads for itself, which would look like two loads
   * at one time.
   */
  async connected(members = this.members): Promise<void> {
    const deadline = this.now() + START_MS
    while (!(await Promise.all(members.map((member) => member.state()))).every(isWell)) {
      if (this.now() > deadline) throw new Error(`a process did not reach Redis within ${START_MS} ms`)
      await sleep(20)
    }
  }

  get fleet(): Fleet {
    if (!this.#fleet) throw new Error('the fleet was not started')
    return this.#fleet
  }

  get members(): readonly Member[] {
    return this.fleet.members
  }

  /** The one master, or the first of several. */
  get master(): RedisServer {
    return this.servers.masters[0] as RedisServer
  }

  /** Milliseconds since the start, as in the history. */
  now(): number {
    return monotonicMs() - this.#epochMs
  }

  /** Reads a key. Answers what came of it, unless the process ended. */
  async read(member: Member, key: ModelKey, operation: OperationName, isFinal = false): Promise<Done | undefined> {
    const id = ++this.#ids
    const { process, done } = await member.call({ operation, key })
    if (done && (!isFinal || done.failed === undefined)) {
      this.history.reads.push(readOf(id, operation, process, key, done, isFinal))
    }
    return done
  }

  /** Changes the database, then the cache. Answers what came of it, unless the process ended. */
  async write(
    member: Member,
    key: ModelKey,
    operation: OperationName,
    covered: readonly ModelKey[] = [key],
  ): Promise<Done | undefined> {
    const id = ++this.#ids
    const versions = this.#settings.database.raise(covered.map(({ name }) => name))
    const raisedAt = this.now()
    const version = versions[key.name]
    const call: Call =
      operation === 'set' && version !== undefined
        ? { operation, key, value: { key: key.name, version } }
        : { operation, key }
    const { process, done } = await member.call(call)
    const row = operationOf(operation)
    const isSoft = row.kind === 'write' && row.isSoft === true
    const { start = raisedAt, end, stalledMs = 0, acknowledged } = done ?? {}
    this.history.writes.push({
      id,
      operation,
      process,
      versions,
      raisedAt,
      start,
      end,
      stalledMs,
      acknowledged,
      isSoft,
    })
    return done
  }

  /** Breaks something; `act` heals it and answers what exactly it did. */
  async fault(name: string, act: () => Promise<string>): Promise<void> {
    await this.#fault(name, async () => ({ target: await act() }))
  }

  /** As {@link fault}, for servers: lasts until each is in its place again. */
  async serverFault(name: string, act: () => Promise<string>): Promise<void> {
    await this.#fault(name, async () => {
      const target = await act()
      const losses = await this.servers.settle()
      return losses.length > 0 ? { target, losses } : { target }
    })
  }

  async #fault(name: string, act: () => Promise<Pick<Fault, 'target' | 'losses'>>): Promise<void> {
    const start = this.now()
    const place = this.history.faults.push({ name, target: 'under way', start, end: Number.POSITIVE_INFINITY }) - 1
    const outcome = await act()
    this.history.faults[place] = { name, start, end: this.now(), ...outcome }
  }

  /** Waits until all processes work as if nothing had been, reads everything everywhere, and judges what happened. */
  async conclude(): Promise<ModelResult> {
    const deadline = this.now() + RECOVERY_MS
    let states = await this.#states()
    while (!states.every(isWell) && this.now() < deadline) {
      await sleep(200)
      states = await this.#states()
    }
    for (const [index, member] of this.members.entries()) this.#conclude(member, states[index])
    await this.hearing()
    const wasLost = this.history.faults.some(({ losses }) => losses !== undefined)
    await sleep(STALENESS_MS + (wasLost ? FAILOVER_MS : 0) + 300)
    for (const key of this.#settings.keys) {
      await Promise.all(this.members.map((member) => this.#readUntilAnswered(member, key)))
    }
    return this.judge()
  }

  /**
   * Changes keys of all buckets, until each process has heard of all of them once: a gap tells that it has not. Who misses
   * some in every round is deaf. Where a process does not hear, each change costs it all of L1.
   */
  async hearing(): Promise<void> {
    const [member] = this.members
    const byBucket = new Map(this.#settings.keys.map((key) => [this.history.buckets[key.name], key]))
    let deaf = new Set(this.members)
    for (let round = 0; member && deaf.size > 0 && round < HEARING_ROUNDS; round++) {
      const before = await this.#gaps()
      for (const key of byBucket.values()) await this.write(member, key, 'delete')
      await sleep(HEARING_MS)
      const after = await this.#gaps()
      deaf = new Set([...deaf].filter((each) => before.get(each) !== after.get(each)))
    }
    for (const { process } of deaf) this.history.deaf.push({ process, at: this.now() })
  }

  async #gaps(): Promise<Map<Member, number | undefined>> {
    const states = await this.#states()
    return new Map(this.members.map((member, index) => [member, states[index]?.counters.gaps]))
  }

  /** What has happened so far. */
  judge(): ModelResult {
    return { history: this.history, violations: check(this.history), counts: this.#counts() }
  }

  #conclude(member: Member, state: State | undefined): void {
    const { process } = member
    this.history.endings.push({ process, pending: state?.pending ?? [], isWell: state?.l2Usable === true })
    if (state) this.#counters.set(process, state.counters)
    for (const { call, askedAt } of member.open) {
      if (askedAt > this.now() - RECOVERY_MS) continue
      this.history.unanswered.push({ process, operation: call.operation, key: call.key.name, askedAt })
    }
  }

  #states(): Promise<(State | undefined)[]> {
    return Promise.all(this.members.map((member) => member.state()))
  }

  /** Loaders fail now and then: that is no answer. */
  async #readUntilAnswered(member: Member, key: ModelKey): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const done = await this.read(member, key, 'getOrSetEntry', true)
      if (done && done.failed === undefined) return
      await sleep(FAILED_LOAD_MS)
    }
  }

  #counts(): ModelResult['counts'] {
    const { reads, writes, faults } = this.history
    return {
      operations: tally([...reads, ...writes].map(({ operation }) => operation)),
      faults: tally(faults.map(({ name }) => name)),
      counters: sums([...this.#counters.values()]),
    }
  }

  #said(process: string, message: FromWorker): void {
    const { history } = this
    switch (message.type) {
      case 'load-ended': {
        const { key, outcome, version, start, end } = message
        history.loads.push({ process, key, outcome, version, start, end })
        return
      }
      case 'repeated': {
        const { subject, at } = message
        const keys = this.#settings.keys.filter((key) => isAbout(subject, key))
        history.repeats.push({ process, keys: keys.map(({ name }) => name), at })
        return
      }
      case 'arrived':
        history.arrivals.push({ process, end: message.end, at: message.at })
        return
      case 'timeout':
        history.stalls.push({ process: `the server of ${process}`, start: message.at - COMMAND_MS, end: message.at })
        return
      case 'stall':
        history.stalls.push({ process, start: message.start, end: message.end })
        return
      case 'incident':
        history.incidents.push({ process, at: Math.min(message.at, this.now()), text: message.text })
        return
      case 'ready':
      case 'done':
      case 'load':
      case 'state':
        return
      default:
        message satisfies never
    }
  }

  async stop(): Promise<void> {
    this.#stalls.stop()
    await this.#fleet?.stop()
    await this.servers.stop()
  }
}

/** Whether a namespace is another one or stands below it; all stand below the root. */
export function isWithin(namespace: string, above: string): boolean {
  return above === '' || namespace === above || namespace.startsWith(`${above}.`)
}

function isAbout({ namespace, key, tag }: InvalidationSubject, one: ModelKey): boolean {
  if (tag !== undefined) return one.tags.includes(tag)
  const within = namespace === '_' ? '' : (namespace ?? '')
  return key === undefined ? isWithin(one.namespace, within) : one.namespace === within && one.key === key
}

function isWell(state: State | undefined): boolean {
  return state?.l2Usable === true && state.pending.length === 0
}

function readOf(id: number, operation: string, process: string, key: ModelKey, done: Done, isFinal: boolean): Read {
  const { start, end, stalledMs, answer, failed } = done
  const { freshness, tier, joined } = answer ?? {}
  const value = answer?.value as Read['value']
  return {
    id,
    operation,
    process,
    key: key.name,
    start,
    end,
    stalledMs,
    value,
    freshness,
    tier,
    joined,
    failed,
    isFinal,
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function sums(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const row of rows) for (const [name, value] of Object.entries(row)) totals[name] = (totals[name] ?? 0) + value
  return totals
}
