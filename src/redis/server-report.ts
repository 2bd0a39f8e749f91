/** What a server says of itself (INFO), as far as it matters to us. */
export interface ServerReport {
  /** Another one at each start of the server. */
  readonly runId: string | undefined
  /** Another one each time that it becomes a master, and with each other master that it follows. */
  readonly history: string | undefined
  readonly isReplica: boolean
  /** Whether it belongs to a Cluster, and holds the keys of its slots only. */
  readonly isClusterNode: boolean
  readonly version: string | undefined
  /** What it does when memory is full; `undefined` where memory has no bound. */
  readonly evictionPolicy: string | undefined
}

/** Reads the reply to INFO. A compatible server may leave out what it does not have. */
export function readReport(text: string): ServerReport {
  const fields = new Map(
    text.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)] as const
    }),
  )
  const isBounded = Number(fields.get('maxmemory') ?? 0) > 0
  return {
    runId: fields.get('run_id') || undefined,
    history: fields.get('master_replid') || undefined,
    isReplica: fields.get('role') === 'slave',
    isClusterNode: fields.get('cluster_enabled') === '1',
    version: fields.get('redis_version') || undefined,
    evictionPolicy: isBounded ? fields.get('maxmemory_policy') : undefined,
  }
}

const VERSION_LEAST = [6, 2] as const

/** Whether the server knows the commands that we send. One that does not say is tried. */
export function isRecentEnough({ version }: ServerReport): boolean {
  const [major, minor] = figuresOf(version)
  if (major === undefined || minor === undefined) return true
  return major > VERSION_LEAST[0] || (major === VERSION_LEAST[0] && minor >= VERSION_LEAST[1])
}

/** Whether the server has channels that belong to a slot (SPUBLISH). One that does not say is taken for having none. */
export function knowsShardedChannels(report: ServerReport | undefined): boolean {
  const [major] = figuresOf(report?.version)
  return major !== undefined && major >= 7
}

function figuresOf(version: string | undefined): readonly number[] {
  const figures = /^(\d+)\.(\d+)/.exec(version ?? '')
  return figures ? figures.slice(1).map(Number) : []
}

/**
 * Whether a full server takes leases away before what is older and of less use. Leases are young, seldom read, and end
 * soonest: by chance (`random`), by use (`lfu`) and by their end (`ttl`) they are among the first to go. By age (`lru`) they
 * are the last.
 */
export function evictsLeases({ evictionPolicy }: ServerReport): boolean {
  return evictionPolicy !== undefined && /-(random|lfu|ttl)$/.test(evictionPolicy)
}
