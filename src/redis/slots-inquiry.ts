import { isRefusal, withoutArguments } from './failure.ts'
import type { ClusterConnection } from './source.ts'
import type { Warnings } from './warnings.ts'

/**
 * The question who holds which slot, as ioredis puts it to any node of a Cluster: ours, or one that the application owns,
 * which then is not closed with us. Why it cannot be answered is told once per outage.
 */
export class SlotsInquiry {
  readonly #cluster: ClusterConnection
  readonly #borrowed: boolean
  readonly #warnings: Warnings
  readonly #handlers: readonly [string, (...values: unknown[]) => void][]
  #answered = () => {}
  #asking: Promise<void> | undefined
  #isOutageTold = false
  #isUnownedTold = false
  #closed = false

  constructor(cluster: ClusterConnection, borrowed: boolean, warnings: Warnings) {
    this.#cluster = cluster
    this.#borrowed = borrowed
    this.#warnings = warnings
    this.#handlers = [
      ['refresh', () => this.#isAnswered()],
      ['error', (error) => this.#failed(error)],
      ['end', () => this.#failed(new Error('the Cluster instance has ended'))],
    ]
    for (const [event, listener] of this.#handlers) cluster.on(event, listener)
    // A lazy instance of the application connects at its first command; we send none.
    if (cluster.status === 'wait') cluster.connect().catch(() => {})
  }

  /** Calls `listener` whenever ioredis has an answer, whoever asked. */
  whenAnswered(listener: () => void): void {
    this.#answered = listener
  }

  /** Asks. Never rejects, and takes as long as it takes to find a node that answers. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  #ask(): Promise<void> {
    return new Promise((resolve) => {
      this.#cluster.refreshSlotsCache((error) => {
        if (error) this.#failed(error)
        resolve()
      })
    })
  }

  #isAnswered(): void {
    this.#isOutageTold = false
    this.#answered()
  }

  #failed(error: unknown): void {
    const { lastNodeError: cause = error } = error as { readonly lastNodeError?: unknown }
    // ioredis is about to connect to the first nodes again, and has no other to ask: it will say how that went.
    if (cause === null || this.#isOutageTold || this.#closed) return
    this.#isOutageTold = true
    if (isRefusal(cause) && cause.message.startsWith('NOPERM')) {
      this.#warnings.refused('the Redis Cluster', 'CLUSTER', cause)
      return
    }
    const reason = withoutArguments(cause instanceof Error ? cause.message : String(cause))
    this.#warnings.tell({
      code: 'ERR_REDIS_UNAVAILABLE',
      message: `the Redis Cluster cannot be asked for its slots (${reason}): ${adviceOn(reason)}L1 and loaders go on`,
    })
  }

  /** Tells once of a slot for which the answer names no server; `undefined` where there is none such. */
  tellUnowned(slot: number | undefined): void {
    if (slot !== undefined && !this.#isUnownedTold && !this.#closed) {
      this.#warnings.tell({
        code: 'ERR_REDIS_UNAVAILABLE',
        message:
          `the Redis Cluster names no server for slot ${slot}: its nodes must tell their addresses or host names ` +
          '(cluster-preferred-endpoint-type), and one must hold it (CLUSTER NODES). L1 and loaders go on',
      })
    }
    this.#isUnownedTold = slot !== undefined
  }

  close(): void {
    this.#closed = true
    for (const [event, listener] of this.#handlers) this.#cluster.off(event, listener)
    if (!this.#borrowed) this.#cluster.disconnect()
  }
}

function adviceOn(reason: string): string {
  if (/cluster support disabled/.test(reason)) return "it is one server: give its URL, redis: 'redis://host:6379'. "
  if (/\b(WRONGPASS|NOAUTH)\b/.test(reason)) return 'look at the options username and password. '
  if (/instance has ended/.test(reason)) return 'close the cache first; slots that move are not found any more. '
  return ''
}
