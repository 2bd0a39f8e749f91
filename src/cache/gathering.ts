import type { Clock } from '../clock.ts'
import type { ManyLoader } from './batch-loader.ts'
import { runBatchLoader } from './batch-loader.ts'
import { inChunks } from './in-chunks.ts'
import type { BatchPlace } from './load-request.ts'
import type { LoadContext, Loader } from './load-context.ts'

/** How near the end of a wait is that is over at the same time as others, for all that clocks know. */
const SAME_TIME_MS = 20

interface Asked {
  readonly place: Place
  readonly context: LoadContext
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Makes one load of the loads of many keys. Each key goes its own way, by all rules that hold for one; where that leads to
 * a load, it asks here. The loader of the batch runs once for all that have asked, as soon as every other key has begun to
 * wait for somebody else's load, or needs nothing any more:
 *   1. of keys a, b and c, b is loaded by another process
 *   2. a and c are granted their leases, and ask; b waits: the loader runs for a and c
 *   3. that process dies; b is granted the lease, and asks: the loader runs again, for b
 */
export class Gathering {
  readonly #loader: ManyLoader<unknown>
  readonly #clock: Clock
  /** Runs for what is renewed behind its readers, when this has come to rest. */
  readonly #behind: Gathering | undefined
  readonly #ahead: Gathering | undefined
  /** Keys of which it is not known yet whether they ask. */
  #undecided = 0
  /** Until when those wait that wait for others. */
  readonly #waiting = new Map<Place, number>()
  #asked: Asked[] = []
  #hasRun = false
  #isChecking = false

  constructor(loader: ManyLoader<unknown>, clock: Clock, ahead?: Gathering) {
    this.#loader = loader
    this.#clock = clock
    this.#ahead = ahead
    this.#behind = ahead ? undefined : new Gathering(loader, clock, this)
  }

  /** A key asks for its load. */
  ask(place: Place, context: LoadContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ place, context, resolve, reject })
      this.check()
    })
  }

  /** A place for one key, of which it is not known yet whether it asks. The loader is given keys in the order of numbers. */
  place(number: number): Place {
    this.#undecided++
    return new Place(this, this.#behind ?? this, number)
  }

  waits(place: Place, until: number): void {
    this.#waiting.set(place, until)
  }

  /** A place has come from one state to another. */
  changed(place: Place, from: PlaceState, to: PlaceState): void {
    if (from === 'waiting') this.#waiting.delete(place)
    if (from === 'undecided') this.#undecided--
    if (to === 'undecided') this.#undecided++
    else this.check()
  }

  /** What happens in one tick is looked at together, at its end. */
  check(): void {
    if (this.#isChecking || this.#undecided > 0) return
    this.#isChecking = true
    process.nextTick(() => {
      this.#isChecking = false
      if (!this.isAtRest()) return
      this.#load()
      this.#behind?.check()
    })
  }

  /** Whether every key has asked, waits for others, or needs nothing. */
  isAtRest(): boolean {
    if (this.#undecided > 0 || this.#ahead?.isAtRest() === false) return false
    // The leases of a holder that has died end one after the other, within a moment.
    if (!this.#hasRun) return true
    const soon = this.#clock.now() + SAME_TIME_MS
    for (const until of this.#waiting.values()) if (until <= soon) return false
    return true
  }

  #load(): void {
    const all = this.#asked.sort((one, other) => one.place.number - other.place.number)
    this.#asked = []
    for (const { context, reject } of all) if (context.signal.aborted) reject(context.signal.reason)
    const asked = all.filter(({ context }) => !context.signal.aborted)
    if (asked.length === 0) return
    this.#hasRun = true
    const contexts = new Map(asked.map(({ context }) => [context.key, context]))
    runBatchLoader(this.#loader, contexts).then(
      (values) => {
        const settle = async ({ context, resolve, reject }: Asked) => {
          try {
            resolve(values(context.key))
          } catch (error) {
            // What was returned answers for itself: it may be a getter.
            reject(error)
          }
        }
        void Promise.all(inChunks(asked, settle, ({ place }) => place.left))
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error)
      },
    )
  }
}

type PlaceState = 'undecided' | 'waiting' | 'asked' | 'left'

/** The place of one key among those that are gathered. */
class Place implements BatchPlace {
  readonly batch: object
  readonly #gathering: Gathering
  readonly #behind: Gathering
  /** Keys are loaded in the order of these. */
  readonly number: number
  /** When it is first known whether the key asks: then nothing of it waits for Redis. */
  readonly decided: Promise<void>
  /** When the key needs nothing any more: what was loaded is stored, or not to be. */
  readonly left: Promise<void>
  #state: PlaceState = 'undecided'
  #decide = () => {}
  #leave = () => {}

  constructor(gathering: Gathering, behind: Gathering, number: number) {
    this.batch = behind
    this.#gathering = gathering
    this.#behind = behind
    this.number = number
    this.decided = new Promise((resolve) => {
      this.#decide = resolve
    })
    this.left = new Promise((resolve) => {
      this.#leave = resolve
    })
  }

  readonly load: Loader<unknown> = (context) => {
    const asked = this.#gathering.ask(this, context)
    this.#become(this.#state === 'left' ? 'left' : 'asked')
    return asked
  }

  waits(until = Number.POSITIVE_INFINITY): void {
    if (this.#state === 'left') return
    this.#gathering.waits(this, until)
    this.#become('waiting')
  }

  goesOn(): void {
    if (this.#state === 'waiting') this.#become('undecided')
  }

  leaves(): void {
    this.#become('left')
  }

  behind() {
    // Served already, its caller has nothing more to load; or it waits for this very renewal.
    this.waits()
    const place = this.#behind.place(this.number)
    return { loader: place.load, place }
  }

  #become(state: PlaceState): void {
    const before = this.#state
    if (before === state) return
    this.#state = state
    this.#decide()
    if (state === 'left') this.#leave()
    this.#gathering.changed(this, before, state)
  }
}
