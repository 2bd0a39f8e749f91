/** Bodies are recorded in pieces of memory of this size. */
const PIECE_BYTES = 16 * 1024

/** So much memory is kept for the next captures when nothing is recorded. */
const IDLE_PIECES_MOST = (16 * 2 ** 20) / PIECE_BYTES

/**
 * The memory that all captures under way share. There is only so much of it: a response that would not fit is not stored, but
 * streams on. Pieces are used again, since fresh memory for each body costs more than copying the body does. Bytes that become
 * a stored response are the cache's own to bound.
 */
export class CaptureMemory {
  readonly #mostPieces: number
  #taken = 0
  readonly #idle: Buffer[] = []

  /** `mostBytes`: at least one piece. */
  constructor(mostBytes: number) {
    this.#mostPieces = Math.max(1, Math.floor(mostBytes / PIECE_BYTES))
  }

  /** Bytes that captures hold. */
  get bytes(): number {
    return this.#taken * PIECE_BYTES
  }

  /** A piece with any content; `undefined`: there is no room. */
  take(): Buffer | undefined {
    if (this.#taken === this.#mostPieces) return undefined
    this.#taken++
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  }

  giveBack(pieces: readonly Buffer[]): void {
    this.#taken -= pieces.length
    for (const piece of pieces) if (this.#idle.length < IDLE_PIECES_MOST) this.#idle.push(piece)
  }
}

/**
 * Reads a body along while the application writes it, up to a limit. Every chunk is copied, since the application may
 * write the next one into the same memory.
 */
export class Capture {
  #pieces: Buffer[] = []
  #bytes = 0
  readonly #maxBytes: number
  readonly #memory: CaptureMemory

  constructor(maxBytes: number, memory: CaptureMemory) {
    this.#maxBytes = maxBytes
    this.#memory = memory
  }

  /** Copies a chunk. `false`: the body is over its limit, or there is no room for it; all of it is let go. */
  add(chunk: Uint8Array): boolean {
    if (this.#bytes + chunk.byteLength <= this.#maxBytes && this.#copy(chunk)) return true
    this.release()
    return false
  }

  /** Bytes that were written so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** The whole body, in memory of its own. */
  body(): Uint8Array {
    const whole = Buffer.allocUnsafeSlow(this.#bytes)
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * PIECE_BYTES
      piece.copy(whole, from, 0, Math.min(PIECE_BYTES, this.#bytes - from))
    }
    return whole
  }

  /** Lets go of everything: called when the capture has ended, however it did. */
  release(): void {
    this.#memory.giveBack(this.#pieces)
    this.#bytes = 0
    this.#pieces = []
  }

  #copy(chunk: Uint8Array): boolean {
    for (let from = 0; from < chunk.byteLength; ) {
      const at = this.#bytes % PIECE_BYTES
      if (at === 0) {
        const piece = this.#memory.take()
        if (!piece) return false
        this.#pieces.push(piece)
      }
      const length = Math.min(PIECE_BYTES - at, chunk.byteLength - from)
      this.#pieces.at(-1)?.set(chunk.subarray(from, from + length), at)
      this.#bytes += length
      from += length
    }
    return true
  }
}
