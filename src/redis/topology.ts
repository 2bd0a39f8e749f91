import type { Server } from './server.ts'

/**
 * How buckets came to another server.
 *
 * - `resharded`: they were handed over, with what is in them.
 * - `succeeded`: by one that took the place of the server before, which may have died with what it had acknowledged.
 */
export type Move = 'resharded' | 'succeeded'

/** Which server holds which bucket. */
export interface Topology {
  /** The servers that hold buckets at present. */
  readonly servers: readonly Server[]
  /** `undefined` while nobody is known to hold it. */
  serverOf(bucket: number): Server | undefined
  /** Calls `listener` whenever buckets have got a server, in place of another one or for the first time (`found`). */
  whenMoved(listener: (buckets: readonly number[], how: Move | 'found') => void): void
  /** Asks who holds what, since a server said that it does not hold a bucket (any more). Never rejects. */
  refresh(): Promise<void>
  /** The server that another one (`by`) named, as `host:port` or `:port`; a new one is not connected yet. */
  serverNamed(named: string, by: Server): Server | undefined
  close(): void
}

/** One server, which holds everything; or whichever Sentinel says is the master now, behind one connection. */
export class OneServer implements Topology {
  readonly servers: readonly [Server]

  constructor(server: Server) {
    this.servers = [server]
  }

  serverOf(): Server {
    return this.servers[0]
  }

  whenMoved(): void {
    // It holds everything for good.
  }

  async refresh(): Promise<void> {
    // There is nobody else.
  }

  serverNamed(): undefined {
    return undefined
  }

  close(): void {
    this.servers[0].close()
  }
}
