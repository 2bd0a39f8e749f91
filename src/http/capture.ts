/**
 * Reads a body along while the application writes it, up to a limit. Every chunk is copied, since the application may
 * write the next one into the same memory; they are put together once, at the end.
 */
export class Capture {
  #chunks: Uint8Array[] = []
  #bytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Copies a chunk. `false`: the body is over the limit; all of it is let go. */
  add(chunk: Uint8Array): boolean {
    this.#bytes += chunk.byteLength
    if (this.#bytes > this.#maxBytes) {
      this.#chunks = []
      return false
    }
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
}

function ownCopy(chunk: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(chunk.byteLength)
  copy.set(chunk)
  return copy
}
