import type { RedisNames } from '../entry/key.ts'
import type { RedisClient } from './client.ts'
import type { Sender } from './guarded-connection.ts'
import type { Server } from './server.ts'

/**
 * One bucket in Redis: the part of all keys that share a slot, with a chain of notices of its own. Which server holds it
 * may change; whoever sends a command names the bucket, and not the server.
 */
export class Bucket {
  readonly index: number
  readonly names: RedisNames
  readonly #client: RedisClient

  constructor(index: number, names: RedisNames, client: RedisClient) {
    this.index = index
    this.names = names
    this.#client = client
  }

  /** The server that holds it, as far as is known. */
  get server(): Server | undefined {
    return this.#client.serverOf(this)
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.server?.usable === true
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

  /** See {@link RedisClient.firstAttempt}. */
  firstAttempt(): Promise<void> {
    return this.#client.firstAttempt()
  }

  /** See {@link RedisClient.run}. */
  run<Reply>(command: string, send: Sender): Promise<Reply> {
    return this.#client.run(this, command, send)
  }
}
