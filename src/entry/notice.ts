import type { Address } from './entry.ts'

/**
 * What a notice says.
 *
 * - `D` deleted, `S` set, `E` expired or touched: the key is another one now.
 * - `T` tag invalidated, `U` tag expired, `X` namespace cleared, `Y` session changed.
 * - `F` filled, `R` released: whoever waits for the holder of this key's lease goes on. These two are no links of the
 *   chain: the truth did not move.
 */
export type Operation = 'D' | 'S' | 'E' | 'T' | 'U' | 'X' | 'Y' | 'F' | 'R'

/** A message between processes. It never carries a value or the text of an error. */
export interface Notice {
  readonly previousTip: string
  readonly tip: string
  /** The link's number, a decimal text. */
  readonly n: string
  readonly operation: Operation
  /** The process that caused it. */
  readonly origin: string
  /** `namespace:key`, a tag, or a namespace. */
  readonly subject: string
}

const VERSION = 1
const OPERATIONS = new Set('DSETUXYFR')
const WAKE_UPS = new Set('FR')
/** A notice names one key of at most 8 KiB, which JSON may write in up to six times as many bytes. */
const BYTES_MOST = 64 * 1024

/** Whether a notice is a link of the chain. */
export function isLink(notice: Notice): boolean {
  return !WAKE_UPS.has(notice.operation)
}

/** The part of a link's text that the script which moves the truth cannot know: from the operation on. */
export function noticeBody(operation: Operation, origin: string, subject: string): string {
  return `${JSON.stringify(operation)},${JSON.stringify(origin)},${JSON.stringify(subject)}]`
}

/** The text of a wake-up. */
export function wakeUp(operation: 'F' | 'R', origin: string, subject: string): string {
  return `[${VERSION},"","","0",${noticeBody(operation, origin, subject)}`
}

/** The subject of a notice about a key. */
export function keySubject(address: Address): string {
  return `${address.namespace}:${address.key}`
}

/** The address in the subject of a notice about a key. A namespace has no colon, so the first one ends it. */
export function subjectKey(subject: string): Address | undefined {
  const colon = subject.indexOf(':')
  if (colon < 1 || colon === subject.length - 1) return undefined
  return { namespace: subject.slice(0, colon), key: subject.slice(colon + 1) }
}

/** Reads a message from the channel; `undefined` for whatever is no notice. What comes over the bus is foreign. */
export function readNotice(text: string): Notice | undefined {
  if (text.length > BYTES_MOST) return undefined
  const parts = parse(text)
  if (!Array.isArray(parts) || parts.length !== 7 || parts[0] !== VERSION) return undefined
  const [, previousTip, tip, n, operation, origin, subject] = parts as unknown[]
  if (typeof previousTip !== 'string' || typeof tip !== 'string' || typeof n !== 'string') return undefined
  if (typeof operation !== 'string' || typeof origin !== 'string' || typeof subject !== 'string') return undefined
  if (!/^\d{1,17}$/.test(n) || !OPERATIONS.has(operation)) return undefined
  return { previousTip, tip, n, operation: operation as Operation, origin, subject }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
