/** What one generation holds: with so many keys about one in 400 others is taken for one of them, and stored at first sight. */
const BITS = 2 ** 20
const MOST_KEYS = 65_536
/** A key is a digest: each of its parts is as good a hash as any. */
const HASHES = 4
const HASHED_CHARACTERS = 22

/**
 * Which keys were asked for lately: a Bloom filter of two generations, 256 KiB, whatever is asked for. A key is remembered for
 * the window at least and twice that at most; in a flood of others for the next 65,536 of these.
 */
export class Sightings {
  readonly #windowMs: number
  #young = new Uint8Array(BITS / 8)
  #old = new Uint8Array(BITS / 8)
  #keys = 0
  #since = Number.NEGATIVE_INFINITY

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Notes that a key is asked for. Answers whether it was before. */
  again(key: string, now: number): boolean {
    this.#age(now)
    const hashes = Buffer.from(key.slice(0, HASHED_CHARACTERS), 'base64url')
    const places = Array.from({ length: HASHES }, (_, at) => hashes.readUInt32LE(4 * at) % BITS)
    const isKnown = places.every((place) => isSet(this.#young, place))
    if (isKnown) return true
    const wasKnown = places.every((place) => isSet(this.#old, place))
    for (const place of places) set(this.#young, place)
    this.#keys++
    return wasKnown
  }

  /** A clock that was set back begins a new generation, too. */
  #age(now: number): void {
    const age = now - this.#since
    if (age >= 0 && age < this.#windowMs && this.#keys < MOST_KEYS) return
    const isForgotten = age >= 2 * this.#windowMs
    const emptied = this.#old
    this.#old = isForgotten ? new Uint8Array(BITS / 8) : this.#young
    this.#young = emptied.fill(0)
    this.#keys = 0
    this.#since = now
  }
}

function isSet(bits: Uint8Array, place: number): boolean {
  return ((bits[place >> 3] ?? 0) & (1 << (place & 7))) !== 0
}

function set(bits: Uint8Array, place: number): void {
  bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7))
}
