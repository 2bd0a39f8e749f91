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

/** The flights of one cache, by key. */
export class Flights {
  readonly #open = new Map<string, Set<Flight>>()

  /** Registers a flight. Before its read or load begins, or it would miss what happens in between. */
  open(id: string, mark: number): Flight {
    const flight: Flight = { id, mark, poison: undefined }
    const flights = this.#open.get(id)
    if (flights) flights.add(flight)
    else this.#open.set(id, new Set([flight]))
    return flight
  }

  close(flight: Flight): void {
    const flights = this.#open.get(flight.id)
    if (flights?.delete(flight) && flights.size === 0) this.#open.delete(flight.id)
  }

  /** Poisons all flights of a key, but for one. */
  poison(id: string, reason: string, except?: Flight): void {
    const flights = this.#open.get(id)
    if (flights) for (const flight of flights) if (flight !== except) flight.poison = reason
  }

  poisonAll(reason: string): void {
    for (const flights of this.#open.values()) for (const flight of flights) flight.poison = reason
  }
}
