import type { SharedParts } from '../cache/parts.ts'
import type { Clock } from '../clock.ts'
import type { ErrorCode } from '../errors.ts'
import { TierCacheError } from '../errors.ts'
import type { Counters } from '../counters/counters.ts'
import type { Events } from '../events.ts'

/** What may become of a command to Redis, in place of an answer. */
export type RedisFailure = Extract<
  ErrorCode,
  'ERR_REDIS_TIMEOUT' | 'ERR_REDIS_UNAVAILABLE' | 'ERR_REDIS_LOST' | 'ERR_REDIS_REPLY'
>

export const REDIS_FAILURES: readonly RedisFailure[] = [
  'ERR_REDIS_TIMEOUT',
  'ERR_REDIS_UNAVAILABLE',
  'ERR_REDIS_LOST',
  'ERR_REDIS_REPLY',
]

const MESSAGES: Readonly<Record<RedisFailure, string>> = {
  ERR_REDIS_TIMEOUT: 'Redis did not answer in time',
  ERR_REDIS_UNAVAILABLE: 'Redis is not connected',
  ERR_REDIS_LOST: 'the connection to Redis was lost',
  ERR_REDIS_REPLY: 'Redis refused the command',
}

/** The name of the server in events. */
const SERVER = 'memory'

export interface RedisWayParts {
  readonly clock: Clock
  readonly counters: Counters
  readonly events: Events
  readonly commandTimeoutMs: number
}

/** The methods of a port that answer at once. */
type AtOnce<Port> = {
  [Name in keyof Port]: Port[Name] extends (...values: never[]) => infer Answer
    ? Answer extends Promise<unknown> | AsyncIterable<unknown>
      ? never
      : Name
    : never
}[keyof Port]

type SyncName = AtOnce<SharedParts['far']> | AtOnce<SharedParts['leases']> | AtOnce<SharedParts['tags']>

/** What a process does in its own memory; all else of a port is a command. */
const NO_COMMANDS: ReadonlySet<PropertyKey> = new Set(
  Object.keys({
    reaches: true,
    health: true,
    wait: true,
    call: true,
    callAll: true,
  } satisfies Record<SyncName, true>),
)

/** The way of one process to the Redis of a fleet in memory. Its commands arrive at once, unless a test disturbs it. */
export class RedisWay {
  readonly #parts: RedisWayParts
  readonly #usableListeners: (() => void)[] = []
  #isDown = false
  #slowMs = 0
  #toFail: RedisFailure[] = []
  #everyNth: { readonly nth: number; readonly failure: RedisFailure; count: number } | undefined

  constructor(parts: RedisWayParts) {
    this.#parts = parts
  }

  get isDown(): boolean {
    return this.#isDown
  }

  down(): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#parts.events.tell('disconnected', () => ({ server: SERVER, reason: 'a test took it down' }))
  }

  slow(ms: number): void {
    this.#slowMs = ms
  }

  failNext(failure: RedisFailure): void {
    this.#toFail.push(failure)
  }

  failEvery(nth: number, failure: RedisFailure): void {
    this.#everyNth = { nth, failure, count: 0 }
  }

  /** Ends whatever disturbs it. */
  restore(): void {
    const wasDown = this.#isDown
    this.#isDown = false
    this.#slowMs = 0
    this.#toFail = []
    this.#everyNth = undefined
    if (wasDown) this.#parts.events.tell('connected', () => ({ server: SERVER }))
    for (const listener of this.#usableListeners) listener()
  }

  /** The same parts, at the other end of this way. */
  to(shared: SharedParts): SharedParts {
    const way = this
    const far = new Proxy(this.#commandsOf(shared.far), {
      get(target, name) {
        if (name === 'usable') return !way.#isDown
        if (name === 'passedOver') return way.#isDown
        if (name === 'reaches') return () => !way.#isDown
        return Reflect.get(target, name)
      },
    })
    return {
      far,
      leases: this.#commandsOf(shared.leases),
      tags: this.#commandsOf(shared.tags),
      whenUsable: (listener) => {
        this.#usableListeners.push(listener)
        listener()
      },
    }
  }

  #commandsOf<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const call = (values: unknown[]) => Reflect.apply(member, target, values)
        if (NO_COMMANDS.has(name)) return (...values: unknown[]) => call(values)
        if (name === 'keys') return (...values: unknown[]) => this.#pages(() => call(values))
        return (...values: unknown[]) => this.#send(String(name), () => call(values))
      },
    })
  }

  async *#pages(list: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    await this.#send('keys', async () => {})
    yield* list()
  }

  /** Carries a command out, in this very turn unless something disturbs the way. */
  async #send(command: string, carryOut: () => unknown): Promise<unknown> {
    const failure = this.#failureOfNext()
    if (failure) throw this.#failed(command, failure)
    if (this.#slowMs > 0) await this.#arrival(command)
    return carryOut()
  }

  #failureOfNext(): RedisFailure | undefined {
    if (this.#isDown) return 'ERR_REDIS_UNAVAILABLE'
    const planned = this.#toFail.shift()
    if (planned) return planned
    if (!this.#everyNth) return undefined
    this.#everyNth.count++
    return this.#everyNth.count % this.#everyNth.nth === 0 ? this.#everyNth.failure : undefined
  }

  async #arrival(command: string): Promise<void> {
    const { clock, commandTimeoutMs } = this.#parts
    const isLate = this.#slowMs >= commandTimeoutMs
    await new Promise<void>((resolve) => clock.after(Math.min(this.#slowMs, commandTimeoutMs), resolve))
    if (isLate) throw this.#failed(command, 'ERR_REDIS_TIMEOUT')
    if (this.#isDown) throw this.#failed(command, 'ERR_REDIS_LOST')
  }

  /** A failure is counted and told as that of a real one; what was not sent is no failure. */
  #failed(command: string, code: RedisFailure): TierCacheError {
    const { counters, events } = this.#parts
    const message = `${MESSAGES[code]} (${command})`
    if (code === 'ERR_REDIS_UNAVAILABLE') counters.l2Skipped++
    else {
      counters.l2Failed(code)
      events.tell('l2-error', () => ({ command, code, message, server: SERVER }))
    }
    return new TierCacheError(code, message)
  }
}
