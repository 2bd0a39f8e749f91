import { setTimeout as sleep } from 'node:timers/promises'
import type { InvalidationSubject } from '../../src/events.ts'
import type { Violation } from './checker.ts'
import { check } from './checker.ts'
import { Database } from './database.ts'
import type { FaultName } from './faults.ts'
import { faultOf } from './faults.ts'
import type { Done, Member, State } from './fleet.ts'
import { Fleet } from './fleet.ts'
import type { History, Read, Write } from './history.ts'
import { emptyHistory } from './history.ts'
import type { FromWorker, } from './messages.ts'
import type { Call, ModelKey, OperationName } from './operations.ts'
import { operationOf, weightsOf } from './operations.ts'
import { Random } from './random.ts'
import { Servers } from './servers.ts'
import { monotonicMs, StallMeter } from './stall-meter.ts'

export interface ModelOptions {
  readonly seed: number
  readonly seconds: number
  readonly processes: number
  readonly faults: readonly FaultName[]
  /** The folder of the compiled library. */
  readonly dist: string
}

export interface ModelResult {
  readonly history: History
  readonly violations: readonly Violation[]
  /** How often each operation and fault was run, and sums of the caches' own counters. */
  readonly counts: Readonly<Record<'operations' | 'faults' | 'counters', Readonly<Record<string, number>>>>
}

const STALENESS_MS = 1000
const COMMAND_MS = 250
const LEASE_MS = 1500
const WAIT_MS = 3000
const LOAD_MS = 900
const PREFIX = 'model'
/** The part of a run, at its start, in which nothing is broken. */
const CALM = 0.15
/** How long after a write whose outcome is not known Redis may still carry it out. */
const DOUBT_MS = 2 * COMMAND_MS
/** How many answers a process may owe before it is asked no more. */
const OUTSTANDING_MOST = 40
const READ_EVERY_MS = 4
/** How long the failure of a load is shared by those who ask. */
const FAILED_LOAD_MS = 600
/** How long the processes get to be well again: the longest pause of the breaker, a new connection, and some. */
const RECOVERY_MS = 12_000

/** Keys that are changed together: one namespace with one below it, and one tag. */
interface Cluster {
  readonly namespace: string
  readonly keys: readonly ModelKey[]
  readonly unused: readonly OperationName[]
  /** A burst of writes is under way, or was lately. */
  hotUntil: number
  /** Before that no burst begins, so that what the last one left behind can be seen. */
  quietUntil: number
  busy: Promise<unknown>
}

/** Runs processes, operations and faults by chance from a seed, heals everything, and judges what happened. */
export async function runModel(options: ModelOptions): Promise<ModelResult> {
  const servers = await Servers.start(options.faults.includes('failover'))
  try {
    const driver = await Driver.start(options, servers)
    try {
      return await driver.run()
    } finally {
      await driver.stop()
    }
  } finally {
    await servers.stop()
  }
}

class Driver {
  readonly #options: ModelOptions
  readonly #servers: Servers
  readonly #random: Random
  readonly #history: History
  readonly #database: Database
  readonly #clusters: readonly Cluster[]
  readonly #keys: readonly ModelKey[]
  readonly #epochMs = monotonicMs()
  readonly #stalls: StallMeter
  readonly #counts = { operations: new Map<string, number>(), faults: new Map<string, number>() }
  readonly #counters = new Map<string, Readonly<Record<string, number>>>()
  #fleet: Fleet | undefined
  #ids = 0
  /** Nothing new is begun any more. */
  #isOver = false

  private constructor(options: ModelOptions, servers: Servers) {
    this.#options = options
    this.#servers = servers
    this.#random = new Random(options.seed)
    this.#history = emptyHistory(options.seed, {
      stalenessMs: STALENESS_MS,
      commandMs: COMMAND_MS,
      waitMs: WAIT_MS,
      loadMs: LOAD_MS,
      failoverMs: 2500,
    })
    this.#database = new Database(this.#random.fork(), LOAD_MS, 0.03)
    this.#clusters = makeClusters(this.#random.between(4, 7))
    this.#keys = this.#clusters.flatMap(({ keys }) => keys)
    this.#stalls = new StallMeter((start, end) => {
      this.#history.stalls.push({ process: 'driver', start: start - this.#epochMs, end: end - this.#epochMs })
    })
  }

  static async start(options: ModelOptions, servers: Servers): Promise<Driver> {
    const driver = new Driver(options, servers)
    await driver.#startFleet()
    return driver
  }

  async #startFleet(): Promise<void> {
    const random = this.#random.fork()
    const ttl = random.pick([2000, 10_000, 60_000])
    const { dist, processes: size } = this.#options
    const cache = {
      prefix: PREFIX,
      maxStaleness: STALENESS_MS,
      commandTimeout: COMMAND_MS,
      lease: LEASE_MS,
      l1: { maxEntries: random.pick([6, 12, 1000]) },
      defaults: { ttl, waitTimeout: WAIT_MS },
    }
    const staleNamespace = this.#clusters[0]?.namespace ?? ''
    const namespaces = { [staleNamespace]: { ttl: 700, stale: 20_000 } }
    this.#fleet = await Fleet.start(
      { size, dist, cache, namespaces, epochMs: this.#epochMs, target: this.#servers.target },
      {
        load: (_process, key, answer) => this.#database.load(key, (version, outcome) => answer({ version, outcome })),
        said: (process, message) => this.#said(process, message),
      },
    )
  }

  get #members(): readonly Member[] {
    return this.#fleet?.members ?? []
  }

  #now(): number {
    return monotonicMs() - this.#epochMs
  }

  async run(): Promise<ModelResult> {
    const untilMs = this.#now() + this.#options.seconds * 1000
    const calmUntilMs = this.#now() + this.#options.seconds * 1000 * CALM
    const work = [
      this.#readAll(this.#random.fork()),
      ...this.#clusters.map((cluster) => this.#writeTo(cluster, this.#random.fork())),
      this.#breakAll('member', calmUntilMs, this.#random.fork()),
      this.#breakAll('member', calmUntilMs, this.#random.fork()),
      this.#breakAll('server', calmUntilMs, this.#random.fork()),
    ]
    await sleep(untilMs - this.#now())
    this.#isOver = true
    await Promise.race([Promise.all(work), sleep(RECOVERY_MS, undefined, { ref: false })])
    await this.#recover()
    await this.#readAllOnceMore()
    const violations = check(this.#history)
    const counts = {
      operations: Object.fromEntries(this.#counts.operations),
      faults: Object.fromEntries(this.#counts.faults),
      counters: sums([...this.#counters.values()]),
    }
    return { history: this.#history, violations, counts }
  }

  async stop(): Promise<void> {
    this.#stalls.stop()
    await this.#fleet?.stop()
  }

  /** Reads everywhere; what was written lately above all. */
  async #readAll(random: Random): Promise<void> {
    const weights = weightsOf('read')
    while (!this.#isOver) {
      await sleep(READ_EVERY_MS)
      const now = this.#now()
      const hot = this.#clusters.filter(({ hotUntil }) => hotUntil > now)
      const cluster = random.pick(hot.length > 0 && random.chance(0.8) ? hot : this.#clusters)
      const key = random.pick(cluster.keys)
      const member = random.pick(this.#members)
      // Now and then many ask at once.
      for (let left = random.chance(0.03) ? 10 : 1; left > 0; left--) {
        if (member.open.length < OUTSTANDING_MOST) void this.#read(member, key, random.weighted(weights), false)
      }
    }
  }

  /** Reads by all processes, to be under way when the write that follows is carried out. */
  async #readEverywhere(key: ModelKey, random: Random): Promise<void> {
    for (const member of this.#members) {
      if (member.open.length < OUTSTANDING_MOST) void this.#read(member, key, random.weighted(weightsOf('read')), false)
    }
    await sleep(random.between(0, 60))
  }

  async #read(member: Member, key: ModelKey, operation: OperationName, isFinal: boolean): Promise<void> {
    const id = ++this.#ids
    const { process, done } = await member.call({ operation, key })
    if (!done) return
    count(this.#counts.operations, operation)
    this.#history.reads.push(readOf(id, operation, process, key, done, isFinal))
  }

  /** Bursts of writes to one cluster, and quiet times longer than the bound between them. */
  async #writeTo(cluster: Cluster, random: Random): Promise<void> {
    const weights = weightsOf('write', cluster.unused)
    while (!this.#isOver) {
      await sleep(50)
      if (this.#now() < cluster.quietUntil) continue
      cluster.hotUntil = Number.POSITIVE_INFINITY
      const running: Promise<void>[] = []
      for (let left = random.between(1, 5); left > 0 && !this.#isOver; left--) {
        const member = random.pick(this.#members)
        const operation = random.weighted(weights)
        const key = random.pick(cluster.keys)
        if (random.chance(0.6)) await this.#readEverywhere(key, random)
        await this.#write(cluster, running, member, operation, key, random)
        await sleep(random.chance(0.5) ? random.between(0, 15) : random.between(15, 400))
      }
      await Promise.all(running)
      this.#quieten([cluster], random)
    }
  }

  #quieten(clusters: readonly Cluster[], random: Random): void {
    for (const cluster of clusters) {
      cluster.hotUntil = this.#now() + STALENESS_MS + 1500
      cluster.quietUntil = this.#now() + STALENESS_MS + random.between(300, 2500)
    }
  }

  /**
   * One write. Those that only take away may overlap; one that stores a value has its keys for itself, since nobody
   * promises an order of two that do, and for as long as Redis may still carry it out.
   */
  async #write(
    cluster: Cluster,
    running: Promise<void>[],
    member: Member,
    operation: OperationName,
    key: ModelKey,
    random: Random,
  ): Promise<void> {
    const row = operationOf(operation)
    if (row.kind !== 'write') return
    if (row.covers === 'everything') {
      await Promise.all(running)
      return this.#alone(this.#clusters, async () => {
        await this.#send(member, operation, key, this.#keys, false)
        this.#quieten(this.#clusters, random)
      })
    }
    const covered = cluster.keys.filter(
      (other) =>
        (row.covers === 'key' && other === key) ||
        (row.covers === 'tag' && other.tags.some((tag) => key.tags.includes(tag))) ||
        (row.covers === 'namespace' && isWithin(other.namespace, key.namespace)),
    )
    if (row.isExclusive) await Promise.all(running)
    const sent = this.#alone([cluster], () => this.#send(member, operation, key, covered, row.isSoft === true))
    running.push(sent)
    if (row.isExclusive || random.chance(0.5)) await sent
  }

  /** Runs a write when those to all keys at once are not under way. */
  async #alone(clusters: readonly Cluster[], act: () => Promise<void>): Promise<void> {
    const isGlobal = clusters.length > 1
    const before = isGlobal ? clusters.map(({ busy }) => busy) : [this.#global]
    const acting = Promise.all(before).then(act)
    if (isGlobal) this.#global = acting
    for (const cluster of clusters) cluster.busy = Promise.all([cluster.busy, acting])
    await acting
  }

  #global: Promise<unknown> = Promise.resolve()

  async #send(
    member: Member,
    operation: OperationName,
    key: ModelKey,
    covered: readonly ModelKey[],
    isSoft: boolean,
  ): Promise<void> {
    const id = ++this.#ids
    const versions = this.#database.raise(covered.map(({ name }) => name))
    const raisedAt = this.#now()
    const version = versions[key.name]
    const call: Call =
      operation === 'set' && version !== undefined
        ? { operation, key, value: { key: key.name, version } }
        : { operation, key }
    const { process, done } = await member.call(call)
    count(this.#counts.operations, operation)
    this.#history.writes.push(writeOf(id, operation, process, versions, raisedAt, done, isSoft))
    const isInDoubt = operationOf(operation).kind === 'write' && operation === 'set' && done?.acknowledged !== true
    if (isInDoubt) await sleep(DOUBT_MS)
  }

  /** Breaks one thing after the other. A member has one fault at a time, so that healing one does not heal another. */
  async #breakAll(on: 'member' | 'server', calmUntilMs: number, random: Random): Promise<void> {
    const names = this.#options.faults.filter((name) => faultOf(name).on === on)
    if (names.length === 0) return
    const weights = Object.fromEntries(names.map((name) => [name, faultOf(name).weight])) as Record<FaultName, number>
    await sleep(Math.max(0, calmUntilMs - this.#now()))
    while (!this.#isOver) {
      await this.#break(random.weighted<FaultName>(weights), random)
      await sleep(random.chance(0.7) ? random.between(50, 700) : random.between(700, 2500))
    }
  }

  readonly #broken = new Set<Member>()

  async #break(name: FaultName, random: Random): Promise<void> {
    const row = faultOf(name)
    const fleet = this.#fleet
    const whole = this.#members.filter((member) => !this.#broken.has(member))
    if (!fleet || (row.on === 'member' && whole.length === 0)) return
    // A failover cuts all ways: healing it would heal the faults of single members.
    if (name === 'failover' && whole.length < this.#members.length) return
    const site = { fleet, servers: this.#servers, random, prefix: PREFIX }
    const member = row.on === 'member' ? random.pick(whole) : undefined
    const hit = member ? [member] : name === 'failover' ? this.#members : []
    const start = this.#now()
    const place = this.#history.faults.push({ name, target: 'under way', start, end: Number.POSITIVE_INFINITY }) - 1
    for (const one of hit) this.#broken.add(one)
    try {
      const target = row.on === 'member' && member ? await row.run(site, member) : await (row as ServerRun).run(site)
      this.#history.faults[place] = { name, target, start, end: this.#now() }
      count(this.#counts.faults, name)
    } finally {
      for (const one of hit) this.#broken.delete(one)
    }
  }

  /** Waits until all processes work as if nothing had been. */
  async #recover(): Promise<void> {
    const deadline = this.#now() + RECOVERY_MS
    let states = await this.#states()
    while (!states.every(isWell) && this.#now() < deadline) {
      await sleep(200)
      states = await this.#states()
    }
    this.#members.forEach((member, index) => {
      const state = states[index]
      this.#history.endings.push({
        process: member.process,
        pending: state?.pending ?? [],
        isWell: state?.l2Usable === true,
      })
      if (state) this.#counters.set(member.process, state.counters)
      for (const { call, askedAt } of member.open) {
        if (askedAt > this.#now() - RECOVERY_MS) continue
        const { process } = member
        this.#history.unanswered.push({ process, operation: call.operation, key: call.key.name, askedAt })
      }
    })
    await sleep(STALENESS_MS + 300)
  }

  #states(): Promise<(State | undefined)[]> {
    return Promise.all(this.#members.map((member) => member.state()))
  }

  async #readAllOnceMore(): Promise<void> {
    for (const key of this.#keys) {
      await Promise.all(this.#members.map((member) => this.#readUntilAnswered(member, key)))
    }
  }

  /** Loaders fail now and then: that is no answer. */
  async #readUntilAnswered(member: Member, key: ModelKey): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const id = ++this.#ids
      const { process, done } = await member.call({ operation: 'getOrSetEntry', key })
      if (done && done.failed === undefined) {
        this.#history.reads.push(readOf(id, 'getOrSetEntry', process, key, done, true))
        return
      }
      await sleep(FAILED_LOAD_MS)
    }
  }

  #said(process: string, message: FromWorker): void {
    const history = this.#history
    switch (message.type) {
      case 'load-ended': {
        const { key, outcome, version, start, end } = message
        history.loads.push({ process, key, outcome, version, start, end })
        return
      }
      case 'repeated': {
        const { subject, at } = message
        const keys = this.#keys.filter((key) => isAbout(subject, key))
        history.repeats.push({ process, keys: keys.map(({ name }) => name), at })
        return
      }
      case 'stall':
        history.stalls.push({ process, start: message.start, end: message.end })
        return
      case 'incident':
        history.incidents.push({ process, at: Math.min(message.at, this.#now()), text: message.text })
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
}

interface ServerRun {
  run(site: { fleet: Fleet; servers: Servers; random: Random; prefix: string }): Promise<string>
}

/** Each cluster has keys in its namespace and in one below that; the first keys of the model are in the root. */
function makeClusters(count: number): Cluster[] {
  const keyOf = (namespace: string, key: string, tags: readonly string[]): ModelKey => ({
    name: `${namespace === '' ? '_' : namespace}:${key}`,
    namespace,
    key,
    tags,
  })
  const idle = () => ({ hotUntil: 0, quietUntil: 0, busy: Promise.resolve() })
  return Array.from({ length: count }, (_, index) => {
    const namespace = `n${index}`
    const tags = [`t${index}`]
    const keys = [
      keyOf(namespace, 'a', tags),
      keyOf(namespace, 'b', tags),
      keyOf(`${namespace}.below`, 'c', tags),
      keyOf(`${namespace}.below`, 'd', []),
    ]
    // `touch` makes fresh again what was made stale: no cluster has both.
    const unused = index % 2 === 0 ? (['touch'] as const) : (['expire', 'expireTags'] as const)
    return { namespace, keys, unused, ...idle() }
  })
}

function isWithin(namespace: string, above: string): boolean {
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

function writeOf(
  id: number,
  operation: string,
  process: string,
  versions: Record<string, number>,
  raisedAt: number,
  done: Done | undefined,
  isSoft: boolean,
): Write {
  const { start = raisedAt, end, stalledMs = 0, acknowledged } = done ?? {}
  return { id, operation, process, versions, raisedAt, start, end, stalledMs, acknowledged, isSoft }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function sums(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const row of rows) for (const [name, value] of Object.entries(row)) totals[name] = (totals[name] ?? 0) + value
  return totals
}
