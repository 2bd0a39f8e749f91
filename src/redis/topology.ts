import type { Server } from './server.ts'

/** Which server holds which bucket. */
export interface Topology {
  /** The servers that hold buckets at present. */
  readonly servers: readonly Server[]
  /** `undefined` while nobody is known to hold it. */
  serverOf(bucket: number): Server | undefined
  /** Calls `listener` whenever buckets have got another server, with their numbers. */
  whenMoved(listener: (buckets: readonly number[]) => void): void
  /** Asks who holds what, since a server said that it does not hold a bucket (any more). Never rejects. */
  refresh(): Promise<void>
  /** The server at an address that another one named, as `host:port`. */
  serverAt(address: string): Server | undefined
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

  serverAt(): undefined {
    return undefined
  }

  close(): void {
    this.servers[0].close()
  }
}
