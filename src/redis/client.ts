import { createRequire } from 'node:module'
import type { Clock } from '../clock.ts'
import type { ErrorCode } from '../errors.ts'
import { badValue, TierCacheError } from '../errors.ts'
import type { BreakerState, Counters, Events } from '../events.ts'
import { Breaker } from './breaker.ts'
import { withDeadline } from './deadline.ts'

/**
 * What we use of an ioredis connection, in ioredis 5 and 6 alike. Named by its form, so that an application's own
 * instance fits whichever copy of ioredis it was made with.
 */
export interface RedisConnection {
  readonly status: string
  readonly options: { readonly keyPrefix?: string | undefined; readonly db?: number | undefined }
  duplicate(options?: Readonly<Record<string, unknown>>): RedisConnection
  on(event: string, listener: (...values: never[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
  call(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  callBuffer(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  ping(): Promise<unknown>
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
}

/** A URL (`redis:`, `rediss:`), options of ioredis with or without `url`, or an instance that the application owns. */
export type RedisSource = string | RedisOptions | RedisConnection

/** Options of an ioredis connection, and a `url` if wanted. What they are is for ioredis to say. */
export type RedisOptions = object

export interface RedisClientSettings {
  readonly source: RedisSource
  readonly commandTimeoutMs: number
  /** Lua texts that the server is to know before the first command, so that none of them has to be sent twice. */
  readonly scripts?: readonly string[]
}

/** When a connection is there but TIME is not answered, it is asked again after so long. */
const RETRY_TIME_MS = 500

type Sender = (connection: RedisConnection) => Promise<unknown>

/**
 * The connections of one cache: one for commands, ours or borrowed, and one of our own for the subscription. Every
 * command goes through {@link RedisClient.run}: breaker, deadline, count.
 */
export class RedisClient {
  readonly subscriber: RedisConnection
  readonly database: number
  /** Host and port for people; never the password. */
  readonly server: string
  readonly #commands: RedisConnection
  readonly #borrowed: boolean
  readonly #settings: RedisClientSettings
  readonly #clock: Clock
  readonly #events: Events
  readonly #counters: Counters
  readonly #breaker = new Breaker()
  readonly #usableListeners = new Set<() => void>()
  readonly #firstAttempt: Promise<void>
  readonly #handlers: [string, (...values: unknown[]) => void][] = []
  #firstAttemptOver = false
  #usable = false
  #warned = false
  readonly #refusals = new Set<string>()
  #closed = false
  #cancelProbe: (() => void) | undefined
  /** Server time in ms less the monotonic clock, once TIME was answered on this connection. */
  #offsetMs: number | undefined

  constructor(settings: RedisClientSettings, clock: Clock, events: Events, counters: Counters) {
    this.#settings = settings
    this.#clock = clock
    this.#events = events
    this.#counters = counters
    const opened = open(settings, clock)
    this.#commands = opened.commands
    this.subscriber = opened.subscriber
    this.#borrowed = opened.borrowed
    this.database = this.#commands.options.db ?? 0
    this.server = serverName(this.#commands)
    this.#firstAttempt = new Promise((resolve) => {
      const over = () => {
        this.#firstAttemptOver = true
        resolve()
      }
      clock.inBackground(settings.commandTimeoutMs, over)
      this.#usableListeners.add(over)
    })
    this.#watch()
  }

  /** Server time in ms at this moment; `undefined` until it is known, and after the connection was lost. */
  serverNow(): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#clock.now() + this.#offsetMs
  }

  /** Server time less the monotonic clock, in ms. */
  get offsetMs(): number | undefined {
    return this.#offsetMs
  }

  /** Whether a command would be sent right now. */
  get usable(): boolean {
    return this.#usable && this.#breaker.passes && !this.#closed
  }

  /** Calls `listener` whenever commands can be sent again: a connection is ready, or the breaker has closed. */
  whenUsable(listener: () => void): void {
    this.#usableListeners.add(listener)
    if (this.#usable) listener()
  }

  /** Resolves when the first connection is ready, or one command deadline after the start: whichever comes first. */
  async firstAttempt(): Promise<void> {
    if (!this.#usable && !this.#firstAttemptOver) await this.#firstAttempt
  }

  /**
   * Sends one command, or one batch that is answered at once. Rejects with a `TierCacheError` only: `ERR_REDIS_TIMEOUT`,
   * `ERR_REDIS_UNAVAILABLE` or `ERR_REDIS_REPLY`; the command's arguments never get into a message.
   *
   * Calls made before the first connection wait for it, one command deadline after the start of the client at most.
   */
  async run<Reply>(command: string, send: Sender): Promise<Reply> {
    if (!this.#usable) await this.firstAttempt()
    if (!this.usable) {
      throw new TierCacheError('ERR_REDIS_UNAVAILABLE', `${command} was not sent: ${this.server} is not available`)
    }
    return (await this.#send(command, send)) as Reply
  }

  async #send(command: string, send: Sender): Promise<unknown> {
    const startedAt = this.#clock.now()
    try {
      const reply = await withDeadline(
        attempt(send, this.#commands),
        command,
        this.#settings.commandTimeoutMs,
        this.#clock,
      )
      this.#counters.l2Timings.add(this.#clock.now() - startedAt)
      this.#breaker.succeeded()
      return reply
    } catch (error) {
      throw this.#failed(command, error)
    }
  }

  /** Counts and tells a failure, and makes the error that callers get. A missing script is no failure of the server. */
  #failed(command: string, error: unknown): TierCacheError {
    const failure = failureOf(command, error)
    if (failure.isScriptMissing) return failure.error
    this.#counters.l2Failed(failure.error.code)
    this.#events.tell('l2-error', () => ({ command, code: failure.error.code, message: failure.error.message }))
    if (failure.isOfServer && !this.#closed)
      this.#changeBreaker(() => this.#pause(this.#breaker.failed(this.#clock.random())))
    return failure.error
  }

  #pause(ms: number | undefined): void {
    if (ms === undefined) return
    this.#cancelProbe?.()
    this.#cancelProbe = this.#clock.inBackground(ms, () => this.#probe())
  }

  #probe(): void {
    this.#changeBreaker(() => this.#breaker.probing())
    withDeadline(
      attempt((connection) => connection.call('PING'), this.#commands),
      'PING',
      this.#settings.commandTimeoutMs,
      this.#clock,
    ).then(
      () => this.#changeBreaker(() => this.#breaker.succeeded()),
      () => this.#changeBreaker(() => this.#pause(this.#breaker.failed(this.#clock.random()))),
    )
  }

  #changeBreaker(change: () => void): void {
    const from: BreakerState = this.#breaker.state
    change()
    const to = this.#breaker.state
    if (from === to) return
    this.#events.tell('breaker', () => ({ from, to }))
    if (to === 'closed' && this.#usable) for (const listener of this.#usableListeners) listener()
  }

  #watch(): void {
    this.#listen(this.#commands, 'ready', () => this.#ready())
    this.#listen(this.#commands, 'close', () => this.#lost('the connection was closed'))
    this.#listen(this.#commands, 'error', (error) => {
      if (!this.#usable) this.#warn(withoutArguments(error instanceof Error ? error.message : String(error)))
    })
    this.#listen(this.subscriber, 'error', () => {})
    if (this.#commands.status === 'ready') this.#ready()
    // A lazy instance of the application connects at its first command; we send none before it is connected.
    if (this.#commands.status === 'wait') this.#commands.connect().catch(() => {})
  }

  #listen(connection: RedisConnection, event: string, listener: (...values: unknown[]) => void): void {
    connection.on(event, listener)
    if (connection === this.#commands) this.#handlers.push([event, listener])
  }

  /** Nothing is sent on a new connection before its server's time is known: deadlines in Redis are in that time. */
  #ready(): void {
    for (const lua of this.#settings.scripts ?? []) {
      // A user without this right has each script sent as it is first needed.
      this.#commands.call('SCRIPT', 'LOAD', lua).catch(() => {})
    }
    this.measureTime().then(
      () => {
        if (this.#closed) return
        this.#usable = true
        this.#warned = false
        this.#changeBreaker(() => {
          this.#breaker.probing()
          this.#breaker.succeeded()
        })
        this.#events.tell('connected', () => ({ server: this.server }))
        for (const listener of this.#usableListeners) listener()
      },
      (error: unknown) => {
        this.#lost(error instanceof Error ? error.message : String(error))
        this.#clock.inBackground(RETRY_TIME_MS, () => {
          if (!this.#closed && !this.#usable && this.#commands.status === 'ready') this.#ready()
        })
      },
    )
  }

  /** Asks the server for its time; half a round trip is taken off. */
  async measureTime(): Promise<void> {
    const sentAt = this.#clock.now()
    const reply = (await this.#send('TIME', (connection) => connection.call('TIME'))) as [string, string]
    const answeredAt = this.#clock.now()
    const serverMs = Number(reply[0]) * 1000 + Number(reply[1]) / 1000
    this.#offsetMs = serverMs - (sentAt + answeredAt) / 2
  }

  /** Tells once that the server refuses something that it must grant. */
  refused(command: string, error: Error): void {
    if (this.#refusals.has(command)) return
    this.#refusals.add(command)
    this.#events.tell('warning', () => ({
      code: 'ERR_REDIS_REPLY',
      message: `${this.server} refuses ${command} (${withoutArguments(error.message)}): grant it to this user`,
    }))
  }

  #lost(reason: string): void {
    const wasUsable = this.#usable
    this.#usable = false
    this.#offsetMs = undefined
    if (this.#closed) return
    if (wasUsable) this.#events.tell('disconnected', () => ({ server: this.server, reason }))
    this.#warn(reason)
  }

  /** Once per outage. */
  #warn(reason: string): void {
    if (this.#warned || this.#closed) return
    this.#warned = true
    this.#events.tell('warning', () => ({
      code: 'ERR_REDIS_UNAVAILABLE',
      message: `${this.server} cannot be reached (${reason}): L1 and loaders go on, L2 joins when it comes up`,
    }))
  }

  /** Disconnects what we opened; a borrowed instance only loses our listeners. */
  close(): void {
    this.#closed = true
    this.#usable = false
    this.#cancelProbe?.()
    this.subscriber.disconnect()
    if (this.#borrowed) for (const [event, listener] of this.#handlers) this.#commands.off(event, listener)
    else this.#commands.disconnect()
  }
}

/** A call that throws becomes a promise that rejects. */
async function attempt(send: Sender, connection: RedisConnection): Promise<unknown> {
  return send(connection)
}

interface Failure {
  readonly error: TierCacheError
  /** The server or the way to it is at fault, not this command. */
  readonly isOfServer: boolean
  readonly isScriptMissing: boolean
}

/** Replies that say that this server cannot serve now, whatever it is asked. */
const SERVER_STATES = /^(READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|UNKILLABLE|BUSY)\b/

function failureOf(command: string, error: unknown): Failure {
  if (error instanceof TierCacheError) return { error, isOfServer: true, isScriptMissing: false }
  const message = error instanceof Error ? error.message : String(error)
  const isReply = error instanceof Error && error.name === 'ReplyError'
  const code: ErrorCode = isReply ? 'ERR_REDIS_REPLY' : 'ERR_REDIS_LOST'
  return {
    // No `cause`: errors of ioredis carry the command's arguments, values included.
    error: new TierCacheError(code, `${command} failed: ${withoutArguments(message)}`),
    isOfServer: !isReply || SERVER_STATES.test(message),
    isScriptMissing: isReply && message.startsWith('NOSCRIPT'),
  }
}

function withoutArguments(message: string): string {
  const cut = message.indexOf(', with args beginning with')
  return (cut < 0 ? message : message.slice(0, cut)).slice(0, 200)
}

interface Opened {
  readonly commands: RedisConnection
  readonly subscriber: RedisConnection
  readonly borrowed: boolean
}

/** How long a server may be silent on a connection of ours, when it is to answer, before another one is made. */
const SILENCE_MOST_MS = 2000

/** Settings of connections that are ours: fail at once instead of queueing, never send a command twice. */
const OURS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // ioredis waits so long for the other end of a socket that it has closed, and the process with it.
  disconnectTimeout: 50,
} as const

function open({ source, commandTimeoutMs }: RedisClientSettings, clock: Clock): Opened {
  const ours = {
    ...OURS,
    connectTimeout: Math.max(SILENCE_MOST_MS, commandTimeoutMs),
    // A half-open connection is never answered again: only a new one helps.
    socketTimeout: Math.max(SILENCE_MOST_MS, 2 * commandTimeoutMs),
    retryStrategy: (attempts: number) => Math.min(50 * 2 ** Math.min(attempts, 6), 2000) * (0.5 + clock.random() / 2),
  }
  if (isConnection(source)) {
    if ('nodes' in source) {
      throw badValue('ERR_INVALID_OPTION', 'redis', 'one server (a Redis Cluster is not supported yet)', source)
    }
    if (source.options.keyPrefix) {
      throw new TierCacheError(
        'ERR_KEY_PREFIX',
        'redis: expected an ioredis instance without keyPrefix (use the option prefix of createCache), ' +
          `got keyPrefix ${JSON.stringify(source.options.keyPrefix)}`,
      )
    }
    return { commands: source, subscriber: source.duplicate({ ...ours, lazyConnect: false }), borrowed: true }
  }
  const Redis = loadRedis()
  const commands = typeof source === 'string' ? new Redis(source, ours) : fromOptions(Redis, source, ours)
  return { commands, subscriber: commands.duplicate(), borrowed: false }
}

function isConnection(source: RedisSource): source is RedisConnection {
  return typeof source === 'object' && typeof (source as Partial<RedisConnection>).duplicate === 'function'
}

type RedisConstructor = new (...values: unknown[]) => RedisConnection

function fromOptions(
  Redis: RedisConstructor,
  { url, ...options }: { readonly url?: unknown; readonly keyPrefix?: unknown },
  ours: object,
): RedisConnection {
  if (options.keyPrefix) {
    throw new TierCacheError('ERR_KEY_PREFIX', 'redis.keyPrefix: expected none (use the option prefix of createCache)')
  }
  const all = { ...options, ...ours }
  return url === undefined ? new Redis(all) : new Redis(url, all)
}

/** Loads the optional peer only when a connection must be made, so that `import 'tiercache'` works without it. */
function loadRedis(): RedisConstructor {
  try {
    return (createRequire(import.meta.url)('ioredis') as { Redis: RedisConstructor }).Redis
  } catch (cause) {
    throw new TierCacheError('ERR_PEER_MISSING', "redis: expected the package ioredis, run 'npm install ioredis'", {
      cause,
    })
  }
}

function serverName(connection: RedisConnection): string {
  const { host, port, path } = connection.options as { host?: string; port?: number; path?: string }
  return path ?? `${host ?? 'localhost'}:${port ?? 6379}`
}

/** Checks the form of `redis`. Throws `ERR_INVALID_OPTION`; a URL's password never gets into the message. */
export function checkSource(source: unknown): asserts source is RedisSource {
  const expected = "a URL ('redis://host:6379', 'rediss://…'), options of ioredis, or an ioredis instance"
  if (typeof source === 'string') {
    if (/^rediss?:\/\/[^\s]+$/.test(source) && URL.canParse(source)) return
    throw badValue('ERR_INVALID_OPTION', 'redis', expected, source.includes('@') ? 'a URL that cannot be read' : source)
  }
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) {
    if ('url' in source && source.url !== undefined) checkSource(typeof source.url === 'string' ? source.url : 0)
    return
  }
  throw badValue('ERR_INVALID_OPTION', 'redis', expected, source)
}
