import type { ErrorCode } from '../errors.ts'
import type { Events } from '../events.ts'
import { failureOf, withoutArguments } from './failure.ts'

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
  #closed = false

  /** `prefix`: the first word of all names, for people who must grant rights on them. */
  constructor(events: Events, prefix: string) {
    this.#events = events
    this.#prefix = prefix
  }

  tell(warning: Warning): void {
    if (!this.#closed) this.#events.tell('warning', () => warning)
  }

  /** Tells what stays as it is until somebody changes it, and is met again and again. */
  tellOnce(warning: Warning): void {
    const name = `${warning.code} ${warning.message}`
    if (this.#told.has(name) || this.#closed) return
    this.#told.add(name)
    this.tell(warning)
  }

  /** Tells once that a server refuses something that it must grant. */
  refused(server: string, command: string, error: Error): void {
    const { missingRight } = failureOf(command, error, this.#prefix)
    if (missingRight !== undefined) this.missingRight(server, command, missingRight)
    else {
      const message = `${server} refuses ${command}: ${withoutArguments(error.message)}`
      this.tellOnce({ code: 'ERR_REDIS_REPLY', message })
    }
  }

  /** Tells once that the user of a connection lacks `right`, in the words of an ACL rule. */
  missingRight(server: string, command: string, right: string): void {
    this.tellOnce({
      code: 'ERR_MISSING_RIGHT',
      message: `${server} refuses ${command} for want of a right: grant ${right} to this user (ACL SETUSER)`,
      detail: { command, right },
    })
  }

  close(): void {
    this.#closed = true
  }
}
