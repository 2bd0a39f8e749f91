import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../doubles/fault-proxy.ts'
import type { Fleet, Member } from './fleet.ts'
import type { Random } from './random.ts'
import type { Servers } from './servers.ts'

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
  /** Breaks one process or its ways, and heals it. Answers what exactly it did. */
  run(site: Site, member: Member): Promise<string>
}

interface ServerFault {
  readonly on: 'server'
  readonly weight: number
  run(site: Site): Promise<string>
}

/** The ways of a member that a fault blocks. */
const WAYS = ['commands', 'subscriber', 'both'] as const

function waysOf(member: Member, which: (typeof WAYS)[number]): FaultProxy[] {
  return which === 'both' ? [member.commands, member.subscriber] : [member[which]]
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
      const [which, ms] = [site.random.pick(WAYS), duration(site)]
      const ways = waysOf(member, which)
      await Promise.all(ways.map((way) => way.cut()))
      await sleep(ms)
      await Promise.all(ways.map((way) => way.heal()))
      return `${member.slot} ${which} for ${ms} ms`
    },
  },
  /** Bytes are held back; then they are delivered, also those of connections that their client has given up, or lost. */
  hole: {
    on: 'member',
    weight: 6,
    run: async (site, member) => {
      const [which, ms] = [site.random.pick(WAYS), duration(site)]
      const direction = site.random.pick(['both', 'to-client', 'to-server'] as const)
      const deliver = site.random.chance(0.6)
      for (const way of waysOf(member, which)) way.hole(direction)
      await sleep(ms)
      for (const way of waysOf(member, which)) way.release({ deliver })
      return `${member.slot} ${which} ${direction} for ${ms} ms, then ${deliver ? 'delivered' : 'reset'}`
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
    run: async (site) => {
      const ms = duration(site)
      const { current } = site.servers
      current.freeze()
      await sleep(ms)
      current.thaw()
      return `for ${ms} ms`
    },
  },
  'client-kill': {
    on: 'server',
    weight: 2,
    run: async ({ servers, random }) => {
      const type = random.pick(['normal', 'pubsub'])
      await servers.admin(['CLIENT', 'KILL', 'TYPE', type])
      return type
    },
  },
  'client-pause': {
    on: 'server',
    weight: 2,
    run: async ({ servers, random }) => {
      const [ms, which] = [random.between(50, 1200), random.pick(['ALL', 'WRITE'])]
      await servers.admin(['CLIENT', 'PAUSE', ms, which])
      await sleep(ms)
      return `${which} for ${ms} ms`
    },
  },
  /** It comes back empty. */
  restart: {
    on: 'server',
    weight: 1,
    run: async ({ servers, random }) => {
      const ms = random.chance(0.5) ? 0 : random.between(50, 1500)
      await servers.restart(ms)
      return `after ${ms} ms`
    },
  },
  /** It comes back as it was a while ago. */
  rollback: {
    on: 'server',
    weight: 2,
    run: async ({ servers, random }) => {
      const ms = random.between(100, 1500)
      await servers.rollBack(() => sleep(ms))
      return `without the last ${ms} ms`
    },
  },
  flushall: {
    on: 'server',
    weight: 1,
    run: async ({ servers }) => {
      await servers.admin(['FLUSHALL'])
      return ''
    },
  },
  'script-flush': {
    on: 'server',
    weight: 1,
    run: async ({ servers }) => {
      await servers.admin(['SCRIPT', 'FLUSH'])
      return ''
    },
  },
  /** Keys of ours vanish, as under memory pressure: entries, leases, stamps, the head of the chain. */
  evict: {
    on: 'server',
    weight: 3,
    run: async ({ servers, random, prefix }) => {
      const [all] = (await servers.admin(['KEYS', `${prefix}:*`])) as [string[] | Error]
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
      await servers.admin(['DEL', ...chosen])
      return [...chosen].join(' ')
    },
  },
  /** Writes are refused, reads and notices go on. */
  readonly: {
    on: 'server',
    weight: 2,
    run: async (site) => {
      const ms = duration(site)
      await site.servers.admin(['REPLICAOF', '127.0.0.1', 1])
      await sleep(ms)
      await site.servers.admin(['REPLICAOF', 'NO', 'ONE'])
      return `for ${ms} ms`
    },
  },
  /** Memory is full: scripts that store are refused, deletions pass. */
  'out-of-memory': {
    on: 'server',
    weight: 1,
    run: async (site) => {
      const ms = duration(site)
      await site.servers.admin(['CONFIG', 'SET', 'maxmemory', 1])
      await sleep(ms)
      await site.servers.admin(['CONFIG', 'SET', 'maxmemory', 0])
      return `for ${ms} ms`
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
      await servers.admin(['PUBLISH', `${prefix}:{0}:c:0`, text])
      return JSON.stringify(text.slice(0, 40))
    },
  },
  /** A replica takes over that lacks acknowledged writes. */
  failover: {
    on: 'server',
    weight: 2,
    run: async ({ servers, random, fleet }) => {
      const ms = random.between(100, 1500)
      const move = async (which: (typeof WAYS)[number]) => {
        const ways = fleet.members.flatMap((member) => waysOf(member, which))
        await Promise.all(ways.map((way) => way.cut()))
        await Promise.all(ways.map((way) => way.heal()))
      }
      const laterMs = random.chance(0.3) ? random.between(100, 2000) : 0
      await servers.failOver(ms, () => move(laterMs > 0 ? 'commands' : 'both'))
      if (laterMs === 0) return `without the last ${ms} ms`
      // Notices still come from the old server, which follows the new one.
      await sleep(laterMs)
      await move('subscriber')
      return `without the last ${ms} ms, subscribers ${laterMs} ms later`
    },
  },
} as const satisfies Record<string, MemberFault | ServerFault>

export type FaultName = keyof typeof faults

/** A row of the table. */
export function faultOf(name: FaultName): MemberFault | ServerFault {
  return faults[name]
}

/** A failover needs a second server, which costs a run its first second: it runs when it is asked for by name. */
const UNUSUAL: readonly FaultName[] = ['failover']

export const faultNames = Object.keys(faults) as FaultName[]
export const usualFaults: readonly FaultName[] = faultNames.filter((name) => !UNUSUAL.includes(name))
