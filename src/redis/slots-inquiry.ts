import { isRefusal } from './failure.ts'
import { whyRefused } from './refused-connection.ts'
import { startupAddresses, startupNames } from './server-name.ts'
import type { ClusterConnection } from './source.ts'
import { ended, unreachableCluster } from './unreachable.ts'
import type { Warnings } from './warnings.ts'

/** How ioredis says that it could not connect to a node, or not any more; it does not say why. */
const CLOSED = 'Connection is closed.'

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
  #endedBelow = () => {}
  /** Whether it has answered since it began to connect. */
  #hasAnswered: boolean
  #asking: Promise<void> | undefined
  #isOutageTold = false
  #isUnownedTold = false
  #closed = false

  constructor(cluster: ClusterConnection, borrowed: boolean, warnings: Warnings) {
    this.#cluster = cluster
    this.#borrowed = borrowed
    this.#warnings = warnings
    this.#hasAnswered = cluster.slots.length > 0
    this.#handlers = [
      ['refresh', () => this.#isAnswered()],
      ['error', (error) => this.#failed(error)],
      ['connecting', () => this.#isConnecting()],
      ['close', () => this.#lost()],
      ['end', () => this.#ended()],
    ]
    for (const [event, listener] of this.#handlers) cluster.on(event, listener)
    // A lazy instance of the application connects at its first command; we send none.
    if (cluster.status === 'wait') cluster.connect().catch(() => {})
    // Whoever is to hear of it has been made by then.
    if (cluster.status === 'end') queueMicrotask(() => this.#ended())
  }

  /** Calls `listener` whenever ioredis has an answer, whoever asked. */
  whenAnswered(listener: () => void): void {
    this.#answered = listener
  }

  /** Calls `listener` when ioredis asks nobody any more, and is not about to connect again. */
  whenEnded(listener: () => void): void {
    this.#endedBelow = listener
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
    this.#hasAnswered = true
    this.#answered()
  }

  #isConnecting(): void {
    this.#hasAnswered = false
  }

  /** Where no host name of a node is known, ioredis says no more than that. */
  #lost(): void {
    if (!this.#hasAnswered) this.#failed(new Error(CLOSED))
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
    const reason = cause instanceof Error ? cause.message : String(cause)
    if (reason === CLOSED) void this.#tellRefused()
    else this.#tellUnreachable(reason)
  }

  async #tellRefused(): Promise<void> {
    const [first] = startupAddresses(this.#cluster)
    const reason = first && (await whyRefused(first.host, first.port))
    if (this.#isOutageTold && !this.#closed && this.#cluster.status !== 'end') {
      this.#tellUnreachable(reason ?? 'no connection could be made, or it was lost')
    }
  }

  #tellUnreachable(reason: string): void {
    this.#warnings.tell(unreachableCluster(startupNames(this.#cluster), reason))
  }

  #ended(): void {
    if (this.#closed) return
    this.#isOutageTold = true
    const consequence = 'what is connected goes on, and slots that move are not found any more'
    this.#warnings.tell(ended('the Redis Cluster', consequence))
    this.#endedBelow()
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
