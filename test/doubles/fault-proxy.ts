import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export type Direction = 'to-client' | 'to-server'

/** A TCP proxy in front of a server, whose faults are switched on and off by a test. */
export interface FaultProxy {
  readonly url: string
  readonly host: string
  readonly port: number
  /** Destroys all connections and refuses new ones, until `heal`. */
  cut(): Promise<void>
  /** Ends every fault: new connections are accepted, what is held back is delivered, nothing is delayed any more. */
  heal(): Promise<void>
  /** A black hole: connections stay open and new ones are accepted, and bytes and ends of streams are held back. */
  hole(direction?: Direction | 'both'): void
  /** Ends a hole. What was held is delivered; or else every connection from which something was held is reset. */
  release(how: { readonly deliver: boolean }): void
  /** What arrives from now on is passed on so many milliseconds later, in its order, in both directions. */
  delay(ms: number): void
  /** The number of clients connected now. */
  connections(): number
  /** Ends the proxy and its connections. */
  stop(): Promise<void>
}

const host = '127.0.0.1'

/** The faults in force, shared by all connections. */
interface Faults {
  delayMs: number
  readonly holes: Set<Direction>
}

export async function startFaultProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const faults: Faults = { delayMs: 0, holes: new Set() }
  const pairs = new Set<Pair>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const pair = join(client, connect({ ...target, allowHalfOpen: true, noDelay: true }), faults)
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
  })
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  const cut = async () => {
    const closed = server.listening ? once(server, 'close') : undefined
    server.close()
    for (const pair of pairs) pair.destroy()
    await closed
  }
  const release = ({ deliver }: { readonly deliver: boolean }) => {
    faults.holes.clear()
    for (const pair of pairs) pair.release(deliver)
  }
  return {
    url: `redis://${host}:${port}`,
    host,
    port,
    cut,
    async heal() {
      faults.delayMs = 0
      release({ deliver: true })
      if (!server.listening) await listen(server, port)
    },
    hole(direction = 'both') {
      for (const each of direction === 'both' ? (['to-client', 'to-server'] as const) : [direction])
        faults.holes.add(each)
    },
    release,
    delay(ms) {
      faults.delayMs = ms
    },
    connections: () => pairs.size,
    stop: cut,
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

/** A client's connection and the one to the server behind it. */
interface Pair {
  destroy(): void
  release(deliver: boolean): void
}

function join(client: Socket, server: Socket, faults: Faults): Pair {
  const lanes = [lane(client, server, 'to-server', faults), lane(server, client, 'to-client', faults)]
  const destroy = () => {
    client.destroy()
    server.destroy()
  }
  return {
    destroy,
    release(deliver) {
      const held = lanes.some((each) => each.isHolding())
      if (held && !deliver) {
        client.resetAndDestroy()
        server.destroy()
      } else {
        for (const each of lanes) each.drain()
      }
    },
  }
}

/** What waits in a lane: bytes, the end of the stream, or its breaking off. */
interface Piece {
  readonly content: Buffer | 'end' | 'close'
  readonly dueAt: number
}

/** One direction of a connection: a queue between two sockets. */
interface Lane {
  isHolding(): boolean
  /** Passes on what is due, unless there is a hole. */
  drain(): void
}

function lane(source: Socket, sink: Socket, direction: Direction, faults: Faults): Lane {
  const queue: Piece[] = []
  const drain = () => {
    const next = queue[0]
    if (!next || faults.holes.has(direction)) return
    const leftMs = next.dueAt - performance.now()
    if (leftMs > 0) return void setTimeout(drain, Math.ceil(leftMs)).unref()
    queue.shift()
    pass(next.content, sink)
    drain()
  }
  const take = (content: Piece['content']) => {
    queue.push({ content, dueAt: performance.now() + faults.delayMs })
    if (queue.length === 1) drain()
  }
  source.on('data', take)
  source.on('end', () => take('end'))
  source.on('error', () => {})
  source.on('close', () => take('close'))
  return { isHolding: () => queue.length > 0, drain }
}

function pass(content: Piece['content'], sink: Socket): void {
  if (sink.destroyed) return
  if (content === 'end') sink.end()
  else if (content === 'close') sink.destroySoon()
  else sink.write(content)
}
