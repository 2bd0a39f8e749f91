import type { Clock } from '../clock.ts'
import { localId } from '../entry/key.ts'
import type { Address } from '../entry/entry.ts'
import type { Waiter } from './lease.ts'

/** Those in this process who wait for the holders of leases, by key. */
export class Waiting {
  readonly #clock: Clock
  readonly #places = new Map<string, Set<Place>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(address: Address): Waiter {
    const id = localId(address.namespace, address.key)
    const place: Place = new Place(this.#clock, () => this.#leave(id, place))
    const places = this.#places.get(id) ?? new Set()
    this.#places.set(id, places)
    places.add(place)
    return place
  }

  call(address: Address): void {
    const places = this.#places.get(localId(address.namespace, address.key))
    if (places) for (const place of places) place.call()
  }

  /** `isMeant` is asked for the key, together with its namespace. */
  callAll(isMeant: (id: string) => boolean): void {
    for (const [id, places] of this.#places) if (isMeant(id)) for (const place of places) place.call()
  }

  #leave(id: string, place: Place): void {
    const places = this.#places.get(id)
    if (places?.delete(place) && places.size === 0) this.#places.delete(id)
  }
}

class Place implements Waiter {
  readonly #clock: Clock
  readonly #vacate: () => void
  #wasCalled = false
  #wake: ((wasCalled: boolean) => void) | undefined

  constructor(clock: Clock, vacate: () => void) {
    this.#clock = clock
    this.#vacate = vacate
  }

  leave(): void {
    this.#vacate()
    this.#wake?.(false)
  }

  call(): void {
    this.#wasCalled = true
    this.#wake?.(true)
  }

  called(ms: number): Promise<boolean> {
    if (this.#wasCalled) {
      this.#wasCalled = false
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => this.#wake?.(false))
      this.#wake = (wasCalled) => {
        this.#wake = undefined
        this.#wasCalled = false
        cancel()
        resolve(wasCalled)
      }
    })
  }
}
