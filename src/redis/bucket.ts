import type { RedisNames } from '../entry/key.ts'
import type { Sender } from './guarded-connection.ts'
import type { Server } from './server.ts'

/** Brings the commands of buckets to the servers that hold them. */
export interface Carrier {
  serverOf(bucket: Bucket): Server | undefined
  /** Resolves when all servers are connected, or one command deadline after the start: whichever comes first. */
  firstAttempt(): Promise<void>
  /**
   * Sends one command, or one batch that is answered at once, to the server that holds a bucket. Rejects with a
   * `TierCacheError` only: `ERR_REDIS_TIMEOUT`, `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_LOST` or `ERR_REDIS_REPLY`; the
   * command's arguments never get into a message.
   */
  run<Reply>(bucket: Bucket, command: string, send: Sender): Promise<Reply>
  /** Hears that a bucket is not served now, or is again; or that what was told of it until now may not have been heard. */
  turned(bucket: Bucket, how: 'unserved' | 'served' | 'missed'): void
}

/**
 * One bucket in Redis: the part of all keys that share a slot, with a chain of notices of its own. Which server holds it
 * may change; whoever sends a command names the bucket, and not the server.
 */
export class Bucket {
  readonly index: number
  readonly names: RedisNames
  readonly #carrier: Carrier
  #isServed = true

  constructor(index: number, names: RedisNames, carrier: Carrier) {
    this.index = index
    this.names = names
    this.#carrier = carrier
  }

  /** The server that holds it, as far as is known. */
  get server(): Server | undefined {
    return this.#carrier.serverOf(this)
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#isServed && this.server?.usable === true
  }

  /** Whether its server serves it, as far as is known. */
  get isServed(): boolean {
    return this.#isServed
  }

  /**
   * Its server has answered for it, or said that nobody serves it (CLUSTERDOWN): then it is passed over until the beat of
   * the bus finds that it is served again. Answers whether that is another answer than the last.
   */
  answered(isServed: boolean): boolean {
    if (isServed === this.#isServed) return false
    this.#isServed = isServed
    this.#carrier.turned(this, isServed ? 'served' : 'unserved')
    return true
  }

  /** Its notices are heard from now on: who waits for one may have missed it. */
  missed(): void {
    this.#carrier.turned(this, 'missed')
  }

  /** See {@link Server.offsetMs}. */
  get offsetMs(): number | undefined {
    return this.server?.offsetMs
  }

  /** Where its notices are published: the command, and the channel. */
  get channel(): string {
    return `${this.server?.publishes ?? 'PUBLISH'} ${this.names.channel}`
  }

  /** Tells once that memory is full, if that is what a script says that it has met. */
  noRoom(reply = ''): void {
    this.server?.noRoom(reply)
  }

  /** See {@link Carrier.firstAttempt}. */
  firstAttempt(): Promise<void> {
    return this.#carrier.firstAttempt()
  }

  /** See {@link Carrier.run}. */
  run<Reply>(command: string, send: Sender): Promise<Reply> {
    return this.#carrier.run(this, command, send)
  }
}
