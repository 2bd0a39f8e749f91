import type { RedisServer } from './redis.ts'
import { ask, askAll, fieldsOf } from './redis-deployment.ts'

export const slotCount = 16_384

/** The cluster as one node sees it. Nodes go by their ports. */
export interface View {
  readonly state: string | undefined
  /** Those that are neither suspected nor still being greeted. */
  readonly well: ReadonlySet<number>
  /** The owner of each slot; 0 for none. */
  readonly owners: readonly number[]
  /** The master of each replica. */
  readonly replicas: ReadonlyMap<number, number>
}

export async function viewOf(server: RedisServer): Promise<View> {
  const [info, reply] = await askAll(server, [
    ['CLUSTER', 'INFO'],
    ['CLUSTER', 'NODES'],
  ])
  const nodes = String(reply).split('\n').filter(Boolean).map(parseNode)
  const ports = new Map(nodes.map(({ id, port }) => [id, port]))
  const owners = new Array<number>(slotCount).fill(0)
  for (const { port, ranges } of nodes) for (const [first, last] of ranges) owners.fill(port, first, last + 1)
  return {
    state: fieldsOf(info).cluster_state,
    well: new Set(nodes.filter(({ flags }) => !/fail|handshake|noaddr/.test(flags)).map(({ port }) => port)),
    owners,
    replicas: new Map(
      nodes.flatMap(({ port, masterId }) => (masterId === '-' ? [] : [[port, ports.get(masterId) ?? 0]])),
    ),
  }
}

/** A line of CLUSTER NODES. Words in brackets are slots on the move. */
function parseNode(line: string) {
  const [id = '', address = '', flags = '', masterId = '-', , , , , ...slots] = line.split(' ')
  const ranges = slots.filter((each) => !each.startsWith('[')).map((each) => each.split('-').map(Number))
  return {
    id,
    port: Number(/:(\d+)/.exec(address)?.[1]),
    flags,
    masterId,
    ranges: ranges.map(([first = 0, last = first]) => [first, last] as const),
  }
}

/** Whether a server has the data of the master that it is said to follow. */
export async function isFollowing(server: RedisServer, { replicas }: View): Promise<boolean> {
  const [role, , port, link] = (await ask(server, 'ROLE')) as unknown[]
  return role === 'slave' && port === replicas.get(server.port) && link === 'connected'
}

export async function idOf(server: RedisServer): Promise<string> {
  return String(await ask(server, 'CLUSTER', 'MYID'))
}
