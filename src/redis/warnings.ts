import type { ErrorCode } from '../errors.ts'
import type { Events } from '../events.ts'
import { failureOf, withoutArguments } from './failure.ts'
import type { MissingRight } from './rights.ts'

/** What an operator should know. `detail` has for programs what the message says. */
export interface Warning {
  readonly code: ErrorCode
  readonly message: string
  readonly detail?: Readonly<Record<string, string>>
}

/** What the servers of one cache give cause to warn of. After {@link Warnings.close} nothing is told any more. */
export class Warnings {
  readonly #events: Events
  readonly #prefix: string
  readonly #told = new Set<string>()
  /** The rights that were told as missing, by server. */
  readonly #missing = new Map<string, Set<string>>()
  #closed = false
  /** The last one that was told. */
  last: Warning | undefined

  /** `prefix`: the first word of all names, for people who must grant rights on them. */
  constructor(events: Events, prefix: string) {
    this.#events = events
    this.#prefix = prefix
  }

  tell(warning: Warning): void {
    if (this.#closed) return
    this.last = warning
    this.#events.tell('warning', () => warning)
  }

  /** Tells what stays as it is until somebody changes it, and is met again and again. */
  tellOnce(warning: Warning): void {
    const name = `${warning.code} ${warning.message}`
    if (this.#told.has(name) || this.#closed) return
    this.#told.add(name)
    this.tell(warning)
  }

  /** Tells once that a server refuses something that it must grant; not so one that cannot serve now. */
  refused(server: string, command: string, error: Error): void {
    const { missingRight, isOfServer } = failureOf(command, error, this.#prefix)
    if (missingRight !== undefined) this.missingRight(server, missingRight)
    else if (!isOfServer) {
      const message = `${server} refuses ${command}: ${withoutArguments(error.message)}`
      this.tellOnce({ code: 'ERR_REDIS_REPLY', message })
    }
  }

  /** Tells once that the user of a connection lacks a right. Where any of several may be it, one that was told is it. */
  missingRight(server: string, { command, right }: MissingRight): void {
    const told = this.#missing.get(server) ?? new Set()
    this.#missing.set(server, told)
    if ([right, ...right.split(' ')].some((each) => told.has(each))) return
    told.add(right)
    this.tell({
      code: 'ERR_MISSING_RIGHT',
      message: `${server} refuses ${command} for want of a right: grant ${right} to this user (ACL SETUSER)`,
      detail: { command, right },
    })
  }

  /** Tells once that a server has no room for what is to be written. */
  memoryFull(server: string): void {
    this.tellOnce({
      code: 'ERR_MEMORY_FULL',
      message:
        `${server} refuses writes, since its memory is full: raise maxmemory, or set maxmemory-policy to volatile-lru. ` +
        'What is not stored is loaded again',
      detail: { setting: 'maxmemory-policy', expected: 'volatile-lru' },
    })
  }

  close(): void {
    this.#closed = true
  }
}
