import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib'
import * as zlib from 'node:zlib'
import { undecodable } from './header.ts'

/** How payloads are made smaller. Every Node reads `deflate`; `zstd` needs Node 22.15 or 23.8. */
export type Algorithm = 'deflate' | 'zstd'

/**
 * Beyond so many bytes the thread pool works, and not the event loop. Below, handing the work over takes the event loop
 * as long as doing it; see docs/decisions/0020-compression.md.
 */
export const SYNCHRONOUS_BYTES_MOST = 32 * 1024

/** Whether this Node has an algorithm. */
export function isAvailable(algorithm: Algorithm): boolean {
  return methods[algorithm] !== undefined
}

/**
 * A payload, compressed: a byte for the algorithm, four for the length before, and the bytes. `undefined` where that
 * saves less than a tenth.
 */
export function compress(algorithm: Algorithm, payload: Buffer): Buffer | undefined | Promise<Buffer | undefined> {
  const method = methods[algorithm]
  if (!method) throw new Error(`this Node has no ${algorithm}`)
  if (payload.length <= SYNCHRONOUS_BYTES_MOST) return framed(algorithm, payload, method.compressSync(payload))
  return new Promise((resolve, reject) => {
    method.compress(payload, (error, bytes) => (error ? reject(error) : resolve(framed(algorithm, payload, bytes))))
  })
}

function framed(algorithm: Algorithm, payload: Buffer, bytes: Buffer): Buffer | undefined {
  if (bytes.length > payload.length * 0.9) return undefined
  const front = Buffer.alloc(FRONT_BYTES)
  front.writeUInt8(MARKS.indexOf(algorithm), 0)
  front.writeUInt32BE(payload.length, 1)
  return Buffer.concat([front, bytes])
}

/**
 * What {@link compress} was given. However little it was compressed to, no more comes out than the length that stands in
 * front, and that is at most `bytesMost`. `algorithm`: it was compressed in a way that this Node does not have;
 * `too-large`: it says a greater length. Throws, or rejects with, `ERR_UNDECODABLE`.
 */
export function decompress(
  compressed: Buffer,
  bytesMost: number,
): Buffer | Promise<Buffer> | 'algorithm' | 'too-large' {
  if (compressed.length < FRONT_BYTES) throw undecodable('nothing compressed')
  const algorithm = MARKS[compressed.readUInt8(0)]
  const method = algorithm && methods[algorithm]
  if (!method) return 'algorithm'
  const length = compressed.readUInt32BE(1)
  if (length > bytesMost) return 'too-large'
  if (length === 0) throw undecodable('nothing compressed')
  const bytes = compressed.subarray(FRONT_BYTES)
  if (length <= SYNCHRONOUS_BYTES_MOST) return ofLength(length, inflatedSync(method, bytes, length))
  return new Promise((resolve, reject) => {
    method.decompress(bytes, length, (error, inflated) => {
      if (error) reject(undecodable(error.message, error))
      else if (inflated.length === length) resolve(inflated)
      else reject(undecodable('less than was compressed'))
    })
  })
}

function inflatedSync(method: Method, bytes: Buffer, length: number): Buffer {
  try {
    return method.decompressSync(bytes, length)
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message : String(error), error)
  }
}

function ofLength(length: number, inflated: Buffer): Buffer {
  if (inflated.length !== length) throw undecodable('less than was compressed')
  return inflated
}

const FRONT_BYTES = 5

/** By the byte that stands for them in Redis. */
const MARKS: readonly (Algorithm | undefined)[] = [undefined, 'deflate', 'zstd']

type Done = (error: Error | null, bytes: Buffer) => void

interface Method {
  compressSync(payload: Buffer): Buffer
  compress(payload: Buffer, done: Done): void
  /** To `most` bytes: an error beyond. */
  decompressSync(bytes: Buffer, most: number): Buffer
  decompress(bytes: Buffer, most: number, done: Done): void
}

/** The memory that a reader takes is told by the writer, up to so many bits of it. Level 1 takes 19. */
const ZSTD_WINDOW_LOG_MOST = 21

const FASTEST = { level: constants.Z_BEST_SPEED }

const methods: Readonly<Record<Algorithm, Method | undefined>> = {
  deflate: {
    compressSync: (payload) => deflateRawSync(payload, FASTEST),
    compress: (payload, done) => deflateRaw(payload, FASTEST, done),
    decompressSync: (bytes, most) => inflateRawSync(bytes, { maxOutputLength: most }),
    decompress: (bytes, most, done) => inflateRaw(bytes, { maxOutputLength: most }, done),
  },
  zstd: zstdOf(zlib),
}

/** What `node:zlib` has from Node 22.15 on, and the types of an older one do not know. */
interface Zstd {
  zstdCompressSync(payload: Buffer, options: object): Buffer
  zstdCompress(payload: Buffer, options: object, done: Done): void
  zstdDecompressSync(bytes: Buffer, options: object): Buffer
  zstdDecompress(bytes: Buffer, options: object, done: Done): void
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_d_windowLogMax: number }
}

function zstdOf(node: object): Method | undefined {
  if (!('zstdCompressSync' in node)) return undefined
  const zstd = node as Zstd
  const fastest = { params: { [zstd.constants.ZSTD_c_compressionLevel]: 1 } }
  const params = { [zstd.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MOST }
  return {
    compressSync: (payload) => zstd.zstdCompressSync(payload, fastest),
    compress: (payload, done) => zstd.zstdCompress(payload, fastest, done),
    decompressSync: (bytes, most) => zstd.zstdDecompressSync(bytes, { params, maxOutputLength: most }),
    decompress: (bytes, most, done) => zstd.zstdDecompress(bytes, { params, maxOutputLength: most }, done),
  }
}
