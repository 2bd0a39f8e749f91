import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'
import type { Counters, Events } from '../events.ts'
import type { RedisConnection, RedisSource } from './source.ts'
import { open } from './connection.ts'
import { saysMemoryFull } from './failure.ts'
import { FirstAttempt } from './first-attempt.ts'
import type { Sender } from './guarded-connection.ts'
import type { ServerSettings } from './parts.ts'
import { Server } from './server.ts'
import { Warnings } from './warnings.ts'

export interface RedisClientSettings extends ServerSettings {
  readonly source: RedisSource
}

/**
 * The Redis of one cache, as one server. Every command goes through {@link RedisClient.run}: first attempt, breaker,
 * deadline, count.
 */
export class RedisClient {
  readonly #server: Server
  readonly #firstAttempt: FirstAttempt
  readonly #warnings: Warnings
  readonly #counters: Counters

  constructor(settings: RedisClientSettings, clock: Clock, events: Events, counters: Counters) {
    this.#warnings = new Warnings(events, settings.prefix)
    this.#counters = counters
    const opened = open(settings.source, settings.commandTimeoutMs, clock)
    this.#firstAttempt = new FirstAttempt(settings.commandTimeoutMs, clock)
    this.#server = new Server(opened, { settings, clock, events, counters, warnings: this.#warnings })
    this.#server.whenUsable(this.#firstAttempt.succeeded)
  }

  get subscriber(): RedisConnection {
    return this.#server.subscriber
  }

  get database(): number {
    return this.#server.database
  }

  /** Host and port for people; never the password. */
  get server(): string {
    return this.#server.name
  }

  /** See {@link Server.offsetMs}. */
  get offsetMs(): number | undefined {
    return this.#server.offsetMs
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#server.usable
  }

  /** Whether a command would be refused at once: neither sent, nor kept waiting for the first connection. */
  get passedOver(): boolean {
    return this.#firstAttempt.isOver && !this.usable
  }

  /** See {@link Server.whenUsable}. */
  whenUsable(listener: () => void): void {
    this.#server.whenUsable(listener)
  }

  /** See {@link Server.whenAnotherRun}. */
  whenAnotherRun(listener: () => void): void {
    this.#server.whenAnotherRun(listener)
  }

  /** See {@link Server.whenFailing}. */
  whenFailing(listener: () => void): void {
    this.#server.whenFailing(listener)
  }

  /** Resolves when the first connection is ready, or one command deadline after the start: whichever comes first. */
  async firstAttempt(): Promise<void> {
    if (!this.#firstAttempt.isOver) await this.#firstAttempt.end
  }

  /**
   * Sends one command, or one batch that is answered at once. Rejects with a `TierCacheError` only: `ERR_REDIS_TIMEOUT`,
   * `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_LOST` or `ERR_REDIS_REPLY`; the command's arguments never get into a message.
   *
   * Calls made before the first connection wait for it, one command deadline after the start of the client at most.
   */
  async run<Reply>(command: string, send: Sender): Promise<Reply> {
    if (!this.#firstAttempt.isOver) await this.#firstAttempt.end
    if (!this.usable) {
      this.#counters.l2Skipped++
      throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: ${this.server} is not available`)
    }
    return (await this.#server.send(command, send)) as Reply
  }

  /** Asks the server for its time. */
  measureTime(): Promise<void> {
    return this.#server.measureTime()
  }

  /** Tells once that the server refuses something that it must grant. */
  refused(command: string, error: Error): void {
    this.#warnings.refused(this.server, command, error)
  }

  /** Tells once that memory is full, if that is what a script says that it has met. */
  noRoom(reply = ''): void {
    if (saysMemoryFull(reply)) this.#warnings.memoryFull(this.server)
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#warnings.close()
    this.#server.close()
  }
}
