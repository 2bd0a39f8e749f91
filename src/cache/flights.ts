/**
 * Something under way that may fill L1 when it lands: a read of L2, a load, a write. Whatever makes its key another
 * one meanwhile poisons it: it still answers those who started it, and fills no L1.
 */
export interface Flight {
  readonly id: string
  /** How many marks had been moved at its start (see `tags/marks.ts`): its groups are known at its end only. */
  mark: number
  /** Why it may fill no L1. */
  poison: string | undefined
}

/** A flight that is found by its key. */
interface Registered extends Flight {
  /** The flight of the same key that was opened before it and is open still. */
  older: Registered | undefined
}

/**
 * A flight in a list with all others of its kind, which whoever poisons one goes through: there are as many as callers wait
 * for L2 at one moment, and to enter a Map and leave it again would cost each of them as much as all the rest of its way.
 */
export interface Listed extends Flight {
  /** Whether its caller waits for a value that is loaded if need be. */
  readonly isForLoad: boolean
  previous: Listed | undefined
  next: Listed | undefined
  /** Ends the call that it belongs to. */
  reject(error: unknown): void
}

/** The flights of one cache. */
export class Flights {
  /** The newest flight of each key; older ones hang behind it. */
  readonly #newest = new Map<string, Registered>()
  #firstListed: Listed | undefined
  #whenNoneListed = () => {}

  /** Registers a flight. Before its read or load begins, or it would miss what happens in between. */
  open(id: string, mark: number): Flight {
    const flight: Registered = { id, mark, poison: undefined, older: this.#newest.get(id) }
    this.#newest.set(id, flight)
    return flight
  }

  close(flight: Flight): void {
    const newest = this.#newest.get(flight.id)
    const { older } = flight as Registered
    if (newest === flight) {
      if (older) this.#newest.set(flight.id, older)
      else this.#newest.delete(flight.id)
      return
    }
    for (let each = newest; each; each = each.older) if (each.older === flight) each.older = older
  }

  /** As {@link Flights.open}, for the many. */
  enter(flight: Listed): void {
    const second = this.#firstListed
    flight.next = second
    if (second) second.previous = flight
    this.#firstListed = flight
  }

  leave(flight: Listed): void {
    const { previous, next } = flight
    if (next) next.previous = previous
    if (previous) previous.next = next
    else this.#firstListed = next
    if (this.#firstListed === undefined) this.#whenNoneListed()
  }

  /** How many of those that were entered are for a load of this key. */
  waitingFor(id: string): number {
    let count = 0
    for (let each = this.#firstListed; each; each = each.next) if (each.isForLoad && each.id === id) count++
    return count
  }

  /** Resolves when all have left that were entered. */
  async left(): Promise<void> {
    while (this.#firstListed) {
      await new Promise<void>((resolve) => {
        this.#whenNoneListed = resolve
      })
    }
  }

  /** Ends the calls of all that were entered. */
  reject(error: unknown): void {
    for (let each = this.#firstListed; each; each = each.next) each.reject(error)
  }

  /** Poisons all flights of a key, but for one. */
  poison(id: string, reason: string, except?: Flight): void {
    for (let each = this.#newest.get(id); each; each = each.older) if (each !== except) each.poison = reason
    for (let each = this.#firstListed; each; each = each.next) if (each.id === id) each.poison = reason
  }

  /** Poisons the flights of all keys that `isMeant` says. */
  poisonAll(reason: string, isMeant: (id: string) => boolean): void {
    for (const [id, newest] of this.#newest) {
      if (!isMeant(id)) continue
      for (let each: Registered | undefined = newest; each; each = each.older) each.poison = reason
    }
    for (let each = this.#firstListed; each; each = each.next) if (isMeant(each.id)) each.poison = reason
  }
}
