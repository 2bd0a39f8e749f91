import { setTimeout as sleep } from 'node:timers/promises'
import { hashTags } from '../../src/entry/slot.ts'
import type { RedisServer } from '../doubles/redis.ts'
import { admin } from './admin.ts'
import { ClusterServers } from './cluster-servers.ts'
import type { Fleet, Member } from './fleet.ts'
import { OneServer } from './one-server.ts'
import type { Random } from './random.ts'
import type { Form, Servers } from './servers.ts'
import type { Way } from './way.ts'

/** What a fault may lay hands on. */
export interface Site {
  readonly fleet: Fleet
  readonly servers: Servers
  readonly random: Random
  readonly prefix: string
}

interface MemberFault {
  readonly on: 'member'
  readonly weight: number
  readonly forms?: undefined
  /** Breaks one process or its ways, and heals it. Answers what exactly it did. */
  run(site: Site, member: Member): Promise<string>
}

interface ServerFault {
  readonly on: 'server'
  readonly weight: number
  /** Where there is such a thing; everywhere by default. */
  readonly forms?: readonly Form[]
  /** Breaks one of the masters, which one is given, or more. */
  run(site: Site, master: RedisServer): Promise<string>
}

/** The ways of a member that a fault blocks. */
const WAYS = ['commands', 'subscriber', 'both'] as const

function waysOf(member: Member, which: (typeof WAYS)[number]): Way[] {
  return which === 'both' ? [member.commands, member.subscriber] : [member[which]]
}

/** Some ways of a member, to one of the masters or to all servers; and what they are. */
function someWays({ random, servers }: Site, member: Member): { readonly ways: readonly Way[]; readonly what: string } {
  const which = random.pick(WAYS)
  const ways = waysOf(member, which)
  if (servers.ends.length === 1 || random.chance(0.5)) return { ways, what: `${member.slot} ${which}` }
  const { port } = random.pick(servers.masters)
  const end = servers.ends.findIndex((each) => each.port === port)
  return { ways: ways.map((way) => way.to(end)), what: `${member.slot} ${which} to ${port}` }
}

/** For how long: mostly short, sometimes longer than the bound on staleness and the pauses of the breaker. */
function duration({ random }: Site): number {
  return random.chance(0.6) ? random.between(50, 900) : random.between(900, 3200)
}

function standStill(asleep: boolean) {
  return async (site: Site, member: Member) => {
    const ms = site.random.between(300, asleep ? 2500 : 1500)
    member.tell({ type: 'block', ms, asleep })
    await sleep(ms)
    return `${member.slot} for ${ms} ms`
  }
}

/** The faults, by the name that the history gives them. Each heals what it broke. */
export const faults = {
  /** Connections break off and new ones are refused. */
  cut: {
    on: 'member',
    weight: 3,
    run: async (site, member) => {
      const [{ ways, what }, ms] = [someWays(site, member), duration(site)]
      await Promise.all(ways.map((way) => way.cut()))
      await sleep(ms)
      await Promise.all(ways.map((way) => way.heal()))
      return `${what} for ${ms} ms`
    },
  },
  /** Bytes are held back; then they are delivered, also those of connections that their client has given up, or lost. */
  hole: {
    on: 'member',
    weight: 6,
    run: async (site, member) => {
      const [{ ways, what }, ms] = [someWays(site, member), duration(site)]
      const direction = site.random.pick(['both', 'to-client', 'to-server'] as const)
      const deliver = site.random.chance(0.6)
      for (const way of ways) way.hole(direction)
      await sleep(ms)
      for (const way of ways) way.release({ deliver })
      return `${what} ${direction} for ${ms} ms, then ${deliver ? 'delivered' : 'reset'}`
    },
  },
  /** Replies to commands are slow, notices are prompt. */
  lag: {
    on: 'member',
    weight: 4,
    run: async (site, member) => {
      const [delay, ms] = [site.random.between(10, 150), site.random.between(500, 3000)]
      member.commands.delay(delay)
      await sleep(ms)
      member.commands.delay(0)
      return `${member.slot} by 2 x ${delay} ms, for ${ms} ms`
    },
  },
  /** Notices are slow, replies to commands are prompt. */
  'lag-notices': {
    on: 'member',
    weight: 1,
    run: async (site, member) => {
      const [delay, ms] = [site.random.between(10, 600), site.random.between(500, 3000)]
      member.subscriber.delay(delay)
      await sleep(ms)
      member.subscriber.delay(0)
      return `${member.slot} by 2 x ${delay} ms, for ${ms} ms`
    },
  },
  'freeze-process': {
    on: 'member',
    weight: 4,
    run: async (site, member) => {
      const ms = duration(site)
      member.signal('SIGSTOP')
      await sleep(ms)
      member.signal('SIGCONT')
      return `${member.slot} for ${ms} ms`
    },
  },
  kill: {
    on: 'member',
    weight: 1.5,
    run: async (_site, member) => {
      const { process } = member
      await member.replace()
      return `${process}, then started ${member.process}`
    },
  },
  /** A process dies; its last commands are still on their way and arrive when another one has taken its place. */
  zombie: {
    on: 'member',
    weight: 1,
    run: async (site, member) => {
      const [{ process }, ms] = [member, site.random.between(20, 600)]
      member.commands.hole('to-server')
      await sleep(ms)
      await member.replace()
      member.commands.release({ deliver: true })
      return `${process} with the commands of its last ${ms} ms, then started ${member.process}`
    },
  },
  block: { on: 'member', weight: 3, run: standStill(false) },
  /** The machine of a process sleeps: its monotonic clock stands still, wall time goes on. */
  sleep: { on: 'member', weight: 2, run: standStill(true) },
  /** Wall time jumps, in one process. */
  'clock-jump': {
    on: 'member',
    weight: 1,
    run: async (site, member) => {
      const ms = site.random.pick([-3_600_000, -5000, -700, 700, 5000, 3_600_000])
      member.tell({ type: 'jump', ms })
      await sleep(site.random.between(100, 2000))
      if (site.random.chance(0.5)) member.tell({ type: 'jump', ms: -ms })
      return `${member.slot} by ${ms} ms`
    },
  },
  'freeze-redis': {
    on: 'server',
    weight: 2,
    run: async (site, master) => {
      const ms = duration(site)
      master.freeze()
      await sleep(ms)
      master.thaw()
      return `${master.port} for ${ms} ms`
    },
  },
  'client-kill': {
    on: 'server',
    weight: 2,
    run: async ({ random }, master) => {
      const type = random.pick(['normal', 'pubsub'])
      await admin(master, ['CLIENT', 'KILL', 'TYPE', type])
      return `${type} of ${master.port}`
    },
  },
  'client-pause': {
    on: 'server',
    weight: 2,
    run: async ({ random }, master) => {
      const [ms, which] = [random.between(50, 1200), random.pick(['ALL', 'WRITE'])]
      await admin(master, ['CLIENT', 'PAUSE', ms, which])
      await sleep(ms)
      return `${which} of ${master.port} for ${ms} ms`
    },
  },
  /** It comes back empty. */
  restart: {
    on: 'server',
    weight: 1,
    run: async ({ servers, random }, master) => {
      const ms = random.chance(0.5) ? 0 : random.between(50, 1500)
      await servers.restart(master, ms)
      return `${master.port} after ${ms} ms`
    },
  },
  /** It comes back as it was a while ago. */
  rollback: {
    on: 'server',
    forms: ['server'],
    weight: 2,
    run: async ({ servers, random }) => {
      const ms = random.between(100, 1500)
      if (servers instanceof OneServer) await servers.rollBack(() => sleep(ms))
      return `without the last ${ms} ms`
    },
  },
  flushall: {
    on: 'server',
    weight: 1,
    run: async (_site, master) => {
      await admin(master, ['FLUSHALL'])
      return `${master.port}`
    },
  },
  'script-flush': {
    on: 'server',
    weight: 1,
    run: async (_site, master) => {
      await admin(master, ['SCRIPT', 'FLUSH'])
      return `${master.port}`
    },
  },
  /** Keys of ours vanish, as under memory pressure: entries, leases, stamps, the head of the chain. */
  evict: {
    on: 'server',
    weight: 3,
    run: async ({ random, prefix }, master) => {
      const [all] = (await admin(master, ['KEYS', `${prefix}:*`])) as [string[] | Error]
      if (!Array.isArray(all) || all.length === 0) return 'nothing'
      const byKind = new Map<string, string[]>()
      for (const key of all) {
        const kind = key.split(':')[2] ?? ''
        byKind.set(kind, [...(byKind.get(kind) ?? []), key])
      }
      const chosen = new Set<string>()
      for (let left = random.between(1, 4); left > 0; left--) {
        chosen.add(random.pick(byKind.get(random.pick([...byKind.keys()])) ?? all))
      }
      // One by one: on a Cluster they may be of several slots.
      await admin(master, ...[...chosen].map((key) => ['DEL', key] as const))
      return [...chosen].join(' ')
    },
  },
  /** Writes are refused, reads and notices go on. */
  readonly: {
    on: 'server',
    weight: 2,
    forms: ['server'],
    run: async (site, master) => {
      const ms = duration(site)
      await admin(master, ['REPLICAOF', '127.0.0.1', 1])
      await sleep(ms)
      await admin(master, ['REPLICAOF', 'NO', 'ONE'])
      return `for ${ms} ms`
    },
  },
  /** Writes are refused since too few replicas follow, reads and notices go on. */
  'no-replicas': {
    on: 'server',
    weight: 2,
    run: async (site, master) => {
      const ms = duration(site)
      await admin(master, ['CONFIG', 'SET', 'min-replicas-to-write', 9])
      await sleep(ms)
      await admin(master, ['CONFIG', 'SET', 'min-replicas-to-write', 0])
      return `${master.port} for ${ms} ms`
    },
  },
  /** Memory is full: scripts that store are refused, deletions pass. */
  'out-of-memory': {
    on: 'server',
    weight: 1,
    run: async (site, master) => {
      const ms = duration(site)
      await admin(master, ['CONFIG', 'SET', 'maxmemory', 1])
      await sleep(ms)
      await admin(master, ['CONFIG', 'SET', 'maxmemory', 0])
      return `${master.port} for ${ms} ms`
    },
  },
  /** What is no notice, or a forged one, comes over the channel. */
  garbage: {
    on: 'server',
    weight: 1,
    run: async ({ servers, random, prefix }) => {
      const texts = [
        '',
        '{',
        '[1]',
        '[9,"a","b","1","D","x","_:k0"]',
        '[1,"a","b","1","D","x","_:k0"]',
        'x'.repeat(70_000),
      ]
      const text = random.pick(texts)
      // On a Cluster only the owner of the channel's slot takes it.
      const [publish, channel] = [servers.buckets > 1 ? 'SPUBLISH' : 'PUBLISH', random.between(0, servers.buckets - 1)]
      for (const master of servers.masters)
        await admin(master, [publish, `${prefix}:{${hashTags(servers.buckets)[channel]}}:c:0`, text])
      return JSON.stringify(text.slice(0, 40))
    },
  },
  /** A replica takes over that lacks acknowledged writes. */
  failover: {
    on: 'server',
    weight: 4,
    run: ({ servers, random, fleet }) =>
      servers.failOver(random, async (which) => {
        const ways = fleet.members.flatMap((member) => waysOf(member, which))
        await Promise.all(ways.map((way) => way.cut()))
        await Promise.all(ways.map((way) => way.heal()))
      }),
  },
  /** Slots move to another master, with their keys. */
  reshard: {
    on: 'server',
    forms: ['cluster'],
    weight: 4,
    run: async ({ servers, random }) => (servers instanceof ClusterServers ? servers.reshard(random) : ''),
  },
} as const satisfies Record<string, MemberFault | ServerFault>

export type FaultName = keyof typeof faults

/** A row of the table. */
export function faultOf(name: FaultName): MemberFault | ServerFault {
  return faults[name]
}

export const faultNames = Object.keys(faults) as FaultName[]

/** The faults that a form knows. */
export function faultsOf(form: Form): readonly FaultName[] {
  return faultNames.filter((name) => faultOf(name).forms?.includes(form) ?? true)
}

/** As {@link faultsOf}; but one server gets a replica, which costs a run its first second, when it is asked for by name. */
export function usualFaultsOf(form: Form): readonly FaultName[] {
  return faultsOf(form).filter((name) => form !== 'server' || name !== 'failover')
}
