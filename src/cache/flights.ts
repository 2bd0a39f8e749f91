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
  /** The flight of the same key that was opened before it and is open still. */
  older: Flight | undefined
}

/** The flights of one cache, by key. */
export class Flights {
  /** The newest flight of each key; older ones hang behind it. */
  readonly #newest = new Map<string, Flight>()

  /** Registers a flight. Before its read or load begins, or it would miss what happens in between. */
  open(id: string, mark: number): Flight {
    const flight: Flight = { id, mark, poison: undefined, older: this.#newest.get(id) }
    this.#newest.set(id, flight)
    return flight
  }

  close(flight: Flight): void {
    const newest = this.#newest.get(flight.id)
    if (newest === flight) {
      if (flight.older) this.#newest.set(flight.id, flight.older)
      else this.#newest.delete(flight.id)
      return
    }
    for (let each = newest; each; each = each.older) if (each.older === flight) each.older = flight.older
  }

  /** Poisons all flights of a key, but for one. */
  poison(id: string, reason: string, except?: Flight): void {
    for (let each = this.#newest.get(id); each; each = each.older) if (each !== except) each.poison = reason
  }

  /** Poisons the flights of all keys that `isMeant` says. */
  poisonAll(reason: string, isMeant: (id: string) => boolean): void {
    for (const [id, newest] of this.#newest) {
      if (!isMeant(id)) continue
      for (let each: Flight | undefined = newest; each; each = each.older) each.poison = reason
    }
  }
}
