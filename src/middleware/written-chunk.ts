/** Told, by `write` and `end`, of what has become of a chunk. */
export type WriteCallback = (error?: Error | null) => void

/** Node's own checks refuse anything else; nothing of it is told. */
export function isChunk(chunk: unknown): boolean {
  return chunk === undefined || chunk === null || typeof chunk === 'string' || chunk instanceof Uint8Array
}

/** The bytes of a chunk in its encoding; `undefined`: there is none. */
export function bytesOf(chunk: unknown, encoding: unknown): Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk !== 'string') return undefined
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}

/** The callback among the arguments of `write` or `end`, wherever it stands. */
export function callbackOf(args: readonly unknown[]): WriteCallback | undefined {
  return args.find((argument) => typeof argument === 'function') as WriteCallback | undefined
}

/** What Node does with a write after the end, for an end that only waits to be sent. */
export function refuseLateWrite(args: readonly unknown[]): false {
  const error = Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })
  const callback = callbackOf(args)
  if (callback) process.nextTick(callback, error)
  return false
}
