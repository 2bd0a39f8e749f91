/**
 * How many bytes all captures under way may hold together. A response that would not fit is not stored: it streams on, and
 * the process keeps its memory. Bytes that become a stored response are the cache's own to bound.
 */
export class CaptureBudget {
  readonly #mostBytes: number
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Bytes that are being held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Answers whether there was room. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#mostBytes) return false
    this.#bytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}

/**
 * Reads a body along while the application writes it, up to a limit. Every chunk is copied, since the application may
 * write the next one into the same memory; they are put together once, at the end.
 */
export class Capture {
  #chunks: Uint8Array[] = []
  #bytes = 0
  readonly #maxBytes: number
  readonly #budget: CaptureBudget

  constructor(maxBytes: number, budget: CaptureBudget) {
    this.#maxBytes = maxBytes
    this.#budget = budget
  }

  /** Copies a chunk. `false`: the body is over its limit, or there is no room for it; all of it is let go. */
  add(chunk: Uint8Array): boolean {
    const bytes = this.#bytes + chunk.byteLength
    if (bytes > this.#maxBytes || !this.#budget.take(chunk.byteLength)) {
      this.release()
      return false
    }
    this.#bytes = bytes
    if (chunk.byteLength > 0) this.#chunks.push(ownCopy(chunk))
    return true
  }

  /** Bytes that were written so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** The whole body, in memory of its own: a slice of a pool would keep the pool alive. */
  body(): Uint8Array {
    const [first] = this.#chunks
    if (first !== undefined && this.#chunks.length === 1) return first
    const whole = Buffer.allocUnsafeSlow(this.#bytes)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.byteLength
    }
    return whole
  }

  /** Lets go of everything: called when the capture has ended, however it did. */
  release(): void {
    this.#budget.giveBack(this.#bytes)
    this.#bytes = 0
    this.#chunks = []
  }
}

function ownCopy(chunk: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(chunk.byteLength)
  copy.set(chunk)
  return copy
}
