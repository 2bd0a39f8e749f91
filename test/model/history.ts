/**
 * What happened in one run. All instants are milliseconds since its start, on one clock that all processes of the
 * machine share (the monotonic one).
 */
export interface History {
  readonly seed: number
  readonly bounds: Bounds
  /** The bucket of each key, where there are several. */
  readonly buckets: Readonly<Record<string, number>>
  readonly reads: Read[]
  readonly writes: Write[]
  readonly unanswered: Unanswered[]
  readonly loads: Load[]
  readonly faults: Fault[]
  readonly arrivals: Arrival[]
  /** Invalidations that were not acknowledged at first and then were, as the processes told. */
  readonly repeats: Repeat[]
  /** What nobody expected: uncaught exceptions, unhandled rejections, calls that rejected. */
  readonly incidents: Incident[]
  /** Times in which a process, the driver, or the server that a process waited for did not get to run. */
  readonly stalls: Stall[]
  /** Processes that missed each of several rounds of notices, after everything had been healed. */
  readonly deaf: Deaf[]
  /** What the processes said of themselves after everything had been healed. */
  readonly endings: Ending[]
}

/** The times that the promises are made of. */
export interface Bounds {
  readonly stalenessMs: number
  readonly commandMs: number
  readonly waitMs: number
  /** How long a loader takes at most. */
  readonly loadMs: number
  /** How much longer staleness may last when a failover has lost acknowledged writes. */
  readonly failoverMs: number
}

export interface Read {
  readonly id: number
  readonly operation: string
  /** `slot.instance`: a process that was killed and started again is another one. */
  readonly process: string
  readonly key: string
  readonly start: number
  readonly end: number
  /** How long the process did not get to run meanwhile. */
  readonly stalledMs: number
  /** What came; `undefined` for a miss, and for a rejection. */
  readonly value?: { readonly key: string; readonly version: number } | undefined
  readonly freshness?: 'fresh' | 'stale' | undefined
  readonly tier?: 'l1' | 'l2' | 'loader' | undefined
  /** Whether it waited for a load that another caller of its process had started. */
  readonly joined?: boolean | undefined
  /** The code of an expected rejection: a loader's failure. */
  readonly failed?: string | undefined
  /** One of the reads after everything was healed, which all must agree. */
  readonly isFinal?: boolean
}

export interface Write {
  readonly id: number
  readonly operation: string
  readonly process: string
  /** The versions that the database had given before the write was asked for, by key. */
  readonly versions: Readonly<Record<string, number>>
  /** When the database had them. */
  readonly raisedAt: number
  readonly start: number
  /** `undefined` for a process that did not live to tell. */
  readonly end?: number | undefined
  readonly stalledMs: number
  readonly acknowledged?: boolean | undefined
  /** Old values may go on being served as stale ones. */
  readonly isSoft: boolean
}

/** A call that was not answered when everything was over, though its process lives. */
export interface Unanswered {
  readonly process: string
  readonly operation: string
  readonly key: string
  /** When the driver asked for it. */
  readonly askedAt: number
}

export interface Load {
  readonly process: string
  readonly key: string
  /** `skipped`: the value was not to be stored. */
  readonly outcome: 'loaded' | 'failed' | 'skipped'
  readonly version?: number | undefined
  readonly start: number
  readonly end: number
}

export interface Fault {
  readonly name: string
  readonly target: string
  readonly start: number
  readonly end: number
  /** What it has lost of what was acknowledged meanwhile. */
  readonly losses?: readonly Loss[]
}

/** A server that had acknowledged something was replaced by one that may lack it. */
export interface Loss {
  /** The server that took over: the place of its end. `undefined`: the same one, or behind the same address. */
  readonly heir?: number
  /** All, by default. */
  readonly buckets?: readonly number[]
}

/** A process found a server fit: from now on it asks it. */
export interface Arrival {
  readonly process: string
  /** The place of the server's end. */
  readonly end: number
  readonly at: number
}

export interface Repeat {
  readonly process: string
  /** The keys that it covers. */
  readonly keys: readonly string[]
  readonly at: number
}

export interface Incident {
  readonly process: string
  readonly at: number
  readonly text: string
}

export interface Stall {
  readonly process: string
  readonly start: number
  readonly end: number
}

export interface Deaf {
  readonly process: string
  readonly at: number
}

export interface Ending {
  readonly process: string
  /** What its journal still holds. */
  readonly pending: readonly string[]
  /** Whether it asks L2 and hears notices again. */
  readonly isWell: boolean
}

/** A history in which nothing has happened yet. */
export function emptyHistory(seed: number, bounds: Bounds, buckets: History['buckets'] = {}): History {
  return {
    seed,
    bounds,
    buckets,
    reads: [],
    writes: [],
    unanswered: [],
    loads: [],
    faults: [],
    arrivals: [],
    repeats: [],
    incidents: [],
    stalls: [],
    deaf: [],
    endings: [],
  }
}
