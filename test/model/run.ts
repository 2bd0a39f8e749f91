import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from './database.ts'
import type { FaultName } from './faults.ts'
import { faultOf } from './faults.ts'
import type { Member } from './fleet.ts'
import type { ModelKey, OperationName } from './operations.ts'
import { operationOf, weightsOf } from './operations.ts'
import { Random } from './random.ts'
import type { WorkerStart } from './messages.ts'
import type { ModelResult } from './recorder.ts'
import type { Form } from './servers.ts'
import { COMMAND_MS, isWithin, LOAD_MS, PREFIX, Recorder, STALENESS_MS } from './recorder.ts'

export interface ModelOptions {
  readonly seed: number
  readonly seconds: number
  readonly processes: number
  readonly faults: readonly FaultName[]
  readonly form: Form
  readonly ioredis: WorkerStart['ioredis']
  /** The folder of the compiled library. */
  readonly dist: string
}

/** The part of a run, at its start, in which nothing is broken. */
const CALM = 0.15
/** How long after a write whose outcome is not known Redis may still carry it out. */
const DOUBT_MS = 2 * COMMAND_MS
/** How many answers a process may owe before it is asked no more. */
const OUTSTANDING_MOST = 40
const READ_EVERY_MS = 4
/** How long what is under way may take to end when nothing new is begun. */
const ENDING_MS = 30_000

/** Keys that are changed together: one namespace with one below it, and one tag. */
interface Cluster {
  readonly namespace: string
  readonly keys: readonly ModelKey[]
  readonly unused: readonly OperationName[]
  /** Until then its keys are read more often than others. */
  hotUntil: number
  /** Before that no burst begins, so that what the last one left behind can be seen. */
  quietUntil: number
  /** Resolves when the writes to it that are under way have ended. */
  busy: Promise<unknown>
}

/** Runs processes, operations and faults by chance from a seed, heals everything, and judges what happened. */
export async function runModel(options: ModelOptions): Promise<ModelResult> {
  const random = new Random(options.seed)
  const clusters = makeClusters(random.between(4, 7))
  const recorder = await Recorder.start({
    seed: options.seed,
    processes: options.processes,
    dist: options.dist,
    database: new Database(random.fork(), LOAD_MS, 0.03),
    keys: clusters.flatMap(({ keys }) => keys),
    servers: {
      form: options.form,
      withReplica: options.faults.includes('failover'),
      nodeArgs: ['--cluster-require-full-coverage', options.seed % 2 === 0 ? 'yes' : 'no'],
    },
    ioredis: options.ioredis,
    cache: {
      l1: { maxEntries: random.pick([6, 12, 1000]) },
      defaults: { ttl: random.pick([2000, 10_000, 60_000]), hardTimeout: random.pick([LOAD_MS / 2, 10 * LOAD_MS]) },
    },
    namespaces: { [clusters[0]?.namespace ?? '']: { ttl: 700, stale: 20_000 } },
  })
  try {
    await new Driver(options, random, clusters, recorder).run()
    return await recorder.conclude()
  } finally {
    await recorder.stop()
  }
}

class Driver {
  readonly #options: ModelOptions
  readonly #random: Random
  readonly #clusters: readonly Cluster[]
  readonly #recorder: Recorder
  readonly #broken = new Set<Member>()
  /** Resolves when the last write to all keys at once has ended. */
  #global: Promise<unknown> = Promise.resolve()
  /** Nothing new is begun any more. */
  #isOver = false

  constructor(options: ModelOptions, random: Random, clusters: readonly Cluster[], recorder: Recorder) {
    this.#options = options
    this.#random = random
    this.#clusters = clusters
    this.#recorder = recorder
  }

  async run(): Promise<void> {
    const lengthMs = this.#options.seconds * 1000
    const calmUntilMs = this.#recorder.now() + lengthMs * CALM
    const work = [
      this.#readAll(this.#random.fork()),
      ...this.#clusters.map((cluster) => this.#writeTo(cluster, this.#random.fork())),
      this.#breakAll('member', calmUntilMs, this.#random.fork()),
      this.#breakAll('member', calmUntilMs, this.#random.fork()),
      this.#breakAll('server', calmUntilMs, this.#random.fork()),
    ]
    await sleep(lengthMs)
    this.#isOver = true
    await Promise.race([Promise.all(work), sleep(ENDING_MS, undefined, { ref: false })])
  }

  /** Reads everywhere; what was written lately above all. */
  async #readAll(random: Random): Promise<void> {
    const { members } = this.#recorder
    while (!this.#isOver) {
      await sleep(READ_EVERY_MS)
      const hot = this.#clusters.filter(({ hotUntil }) => hotUntil > this.#recorder.now())
      const cluster = random.pick(hot.length > 0 && random.chance(0.8) ? hot : this.#clusters)
      const [key, member] = [random.pick(cluster.keys), random.pick(members)]
      // Now and then many ask at once.
      for (let left = random.chance(0.03) ? 10 : 1; left > 0; left--) this.#read(member, key, random)
    }
  }

  #read(member: Member, key: ModelKey, random: Random): void {
    if (member.open.length >= OUTSTANDING_MOST) return
    void this.#recorder.read(member, key, random.weighted(weightsOf('read')))
  }

  /** Bursts of writes to one cluster, and quiet times longer than the bound between them. */
  async #writeTo(cluster: Cluster, random: Random): Promise<void> {
    const weights = weightsOf('write', cluster.unused)
    while (!this.#isOver) {
      await sleep(50)
      if (this.#recorder.now() < cluster.quietUntil) continue
      cluster.hotUntil = Number.POSITIVE_INFINITY
      const running: Promise<void>[] = []
      for (let left = random.between(1, 5); left > 0 && !this.#isOver; left--) {
        const key = random.pick(cluster.keys)
        if (random.chance(0.6)) await this.#readEverywhere(key, random)
        await this.#write(cluster, running, random.weighted(weights), key, random)
        await sleep(random.chance(0.5) ? random.between(0, 15) : random.between(15, 400))
      }
      await Promise.all(running)
      this.#quieten([cluster], random)
    }
  }

  /** Reads by all processes, to be under way when the write that follows is carried out. */
  async #readEverywhere(key: ModelKey, random: Random): Promise<void> {
    for (const member of this.#recorder.members) this.#read(member, key, random)
    await sleep(random.between(0, 60))
  }

  #quieten(clusters: readonly Cluster[], random: Random): void {
    const now = this.#recorder.now()
    for (const cluster of clusters) {
      cluster.hotUntil = now + STALENESS_MS + 1500
      cluster.quietUntil = now + STALENESS_MS + random.between(300, 2500)
    }
  }

  /**
   * One write. Those that only take away may overlap; one that stores a value has its keys for itself, since nobody
   * promises an order of two that do, and for as long as Redis may still carry it out.
   */
  async #write(
    cluster: Cluster,
    running: Promise<void>[],
    operation: OperationName,
    key: ModelKey,
    random: Random,
  ): Promise<void> {
    const row = operationOf(operation)
    if (row.kind !== 'write') return
    const member = random.pick(this.#recorder.members)
    if (row.covers === 'everything') {
      await Promise.all(running)
      await this.#alone(this.#clusters, async () => {
        const keys = this.#clusters.flatMap((each) => each.keys)
        await this.#recorder.write(member, key, operation, keys)
        this.#quieten(this.#clusters, random)
      })
      return
    }
    const covered = cluster.keys.filter((other) => {
      if (row.covers === 'key') return other === key
      if (row.covers === 'tag') return other.tags.some((tag) => key.tags.includes(tag))
      return row.covers === 'namespace' && isWithin(other.namespace, key.namespace)
    })
    if (row.covers !== 'nothing' && covered.length === 0) return
    if (row.isExclusive) await Promise.all(running)
    const sent = this.#alone([cluster], async () => {
      const done = await this.#recorder.write(member, key, operation, covered)
      if (row.isExclusive && done?.acknowledged !== true) await sleep(DOUBT_MS)
    })
    running.push(sent)
    if (row.isExclusive || random.chance(0.5)) await sent
  }

  /** Runs a write to one cluster while none to all of them is under way, or the other way round. */
  async #alone(clusters: readonly Cluster[], act: () => Promise<void>): Promise<void> {
    const isGlobal = clusters.length > 1
    const before = isGlobal ? clusters.map(({ busy }) => busy) : [this.#global]
    const acting = Promise.all(before).then(act)
    if (isGlobal) this.#global = acting
    for (const cluster of clusters) cluster.busy = Promise.all([cluster.busy, acting])
    await acting
  }

  /** Breaks one thing after the other. A member has one fault at a time, so that healing one does not heal another. */
  async #breakAll(on: 'member' | 'server', calmUntilMs: number, random: Random): Promise<void> {
    const names = this.#options.faults.filter((name) => faultOf(name).on === on)
    if (names.length === 0) return
    const weights = Object.fromEntries(names.map((name) => [name, faultOf(name).weight])) as Record<FaultName, number>
    await sleep(Math.max(0, calmUntilMs - this.#recorder.now()))
    while (!this.#isOver) {
      await this.#break(random.weighted<FaultName>(weights), random)
      await sleep(random.chance(0.7) ? random.between(50, 700) : random.between(700, 2500))
    }
  }

  async #break(name: FaultName, random: Random): Promise<void> {
    const row = faultOf(name)
    const { fleet, servers, members } = this.#recorder
    const site = { fleet, servers, random, prefix: PREFIX }
    const whole = members.filter((member) => !this.#broken.has(member))
    if (row.on === 'member') {
      if (whole.length === 0) return
      const member = random.pick(whole)
      await this.#while([member], () => this.#recorder.fault(name, () => row.run(site, member)))
      return
    }
    // A failover of one server cuts all ways: healing it would heal the faults of single members.
    const cutsAll = name === 'failover' && this.#options.form === 'server'
    if (cutsAll && whole.length < members.length) return
    const master = random.pick(servers.masters)
    await this.#while(cutsAll ? members : [], () => this.#recorder.serverFault(name, () => row.run(site, master)))
  }

  async #while(members: readonly Member[], act: () => Promise<void>): Promise<void> {
    for (const member of members) this.#broken.add(member)
    await act()
    for (const member of members) this.#broken.delete(member)
  }
}

/** Each cluster has keys in a namespace of its own and in one below that; the last key carries no tag. */
function makeClusters(count: number): Cluster[] {
  return Array.from({ length: count }, (_, index) => {
    const namespace = `n${index}`
    const tags = [`t${index}`]
    const keys = [
      modelKey(namespace, 'a', tags),
      modelKey(namespace, 'b', tags),
      modelKey(`${namespace}.below`, 'c', tags),
      modelKey(`${namespace}.below`, 'd', []),
    ]
    // `touch` makes fresh again what was made stale: no cluster has both.
    const unused = index % 2 === 0 ? (['touch'] as const) : (['expire', 'expireTags'] as const)
    return { namespace, keys, unused, hotUntil: 0, quietUntil: 0, busy: Promise.resolve() }
  })
}

export function modelKey(namespace: string, key: string, tags: readonly string[] = []): ModelKey {
  return { name: `${namespace === '' ? '_' : namespace}:${key}`, namespace, key, tags }
}
