import type { Clock } from '../clock.ts'
import { TierCacheError } from '../errors.ts'
import type { Bucket } from './bucket.ts'
import { withDeadline } from './deadline.ts'
import { isRefusal } from './failure.ts'
import type { Mget, Read, Values } from './mget.ts'
import { mgetsOf } from './mget.ts'
import { inOneWrite } from './one-write.ts'
import type { Server } from './server.ts'

/** Reads of one bucket that leave together. */
interface Waiting {
  readonly bucket: Bucket
  readonly reads: Read[]
}

/**
 * Reads that are asked for in one tick leave together: as one MGET for each bucket, and those of one server in one write,
 * with one deadline.
 */
export class BatchedReads {
  readonly #commandTimeoutMs: number
  readonly #clock: Clock
  #waiting: Waiting[] = []

  constructor(commandTimeoutMs: number, clock: Clock) {
    this.#commandTimeoutMs = commandTimeoutMs
    this.#clock = clock
  }

  /** Reads a key of a bucket. Its `failed` gets what {@link Bucket.run} rejects with. */
  read(bucket: Bucket, read: Read): void {
    // A tick queued from a microtask runs when all microtasks are through: readers that go on together meet again.
    if (this.#waiting.length === 0) process.nextTick(this.#gathered)
    const waiting = this.#waiting.find((each) => each.bucket === bucket)
    if (waiting) waiting.reads.push(read)
    else this.#waiting.push({ bucket, reads: [read] })
  }

  /**
   * The answers of several servers that have come meanwhile are read in one turn of the event loop, each with a tick of
   * its own: readers of several buckets meet again at the end of the turn.
   */
  readonly #gathered = (): void => {
    if (this.#waiting.length === 1) this.#flush()
    else setImmediate(() => this.#flush())
  }

  #flush(): void {
    const sentAt = this.#clock.now()
    const waiting = this.#waiting
    this.#waiting = []
    const mgets = waiting.flatMap(({ bucket, reads }) => mgetsOf(bucket, reads, sentAt))
    if (mgets.length === 1) this.#send(mgets[0] as Mget)
    else this.#sendByServer(mgets)
  }

  #sendByServer(mgets: readonly Mget[]): void {
    const byServer = new Map<Server, Mget[]>()
    for (const mget of mgets) {
      const server = mget.bucket.usable ? mget.bucket.server : undefined
      const others = server && byServer.get(server)
      if (!server) this.#send(mget)
      else if (others) others.push(mget)
      else byServer.set(server, [mget])
    }
    for (const [server, together] of byServer) {
      const [first, ...others] = together
      if (first && others.length === 0) this.#send(first)
      else this.#sendTogether(server, together)
    }
  }

  #send(mget: Mget): void {
    tell(mget, this.#ask(mget))
  }

  #ask({ bucket, keys }: Mget): Promise<Values> {
    return bucket.run('MGET', (redis) => redis.mgetBuffer(...keys))
  }

  #sendTogether(server: Server, mgets: readonly Mget[]): void {
    const answered = server.send('MGET', (redis) =>
      answersTo(inOneWrite(redis, () => mgets.map(({ keys }) => redis.mgetBuffer(...keys)))),
    ) as Promise<readonly (Values | 'refused')[]>
    answered.then(
      (answers) => {
        for (let index = 0; index < mgets.length; index++) {
          const mget = mgets[index] as Mget
          const values = answers[index] as Values | 'refused'
          if (values === 'refused') this.#sendAgain(mget, server)
          else mget.answered(values)
        }
      },
      (error: unknown) => {
        const wasRefused = error instanceof TierCacheError && error.code === 'ERR_REDIS_REPLY'
        for (const mget of mgets) {
          if (wasRefused) this.#sendAgain(mget, server)
          else mget.failed(error)
        }
      },
    )
  }

  /**
   * What was refused among others goes the way of any command, and is redirected there; its deadline stays what it was. Where
   * another server is known to hold the bucket by now, that may have taken the place of the first, and nothing is sent to it
   * that was asked for before (see `RedisClient.run`).
   */
  #sendAgain(mget: Mget, asked: Server): void {
    if (mget.bucket.server !== asked) {
      mget.failed(new TierCacheError('ERR_REDIS_UNAVAILABLE', 'MGET was not sent again: its bucket has moved'))
      return
    }
    const leftMs = mget.sentAt + this.#commandTimeoutMs - this.#clock.now()
    tell(mget, withDeadline(this.#ask(mget), 'MGET', leftMs, this.#clock))
  }
}

function tell(mget: Mget, asked: Promise<Values>): void {
  asked.then(
    (values) => mget.answered(values),
    (error: unknown) => mget.failed(error),
  )
}

/**
 * What came of commands that were sent together: a refusal is of its own bucket. Rejects where none was answered, or the
 * connection was lost.
 */
async function answersTo(asked: readonly Promise<Values>[]): Promise<readonly (Values | 'refused')[]> {
  const outcomes = await Promise.allSettled(asked)
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
  const failure = failures.length === asked.length ? failures[0] : failures.find((reason) => !isRefusal(reason))
  if (failure) throw failure
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'refused'))
}
