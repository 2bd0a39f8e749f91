/**
 * How one reader's value is kept apart from another's.
 *
 * - `frozen`: all readers share one deep-frozen value; a value that holds a Map, Set, Date or bytes, which cannot be
 *   frozen, is copied for each reader instead.
 * - `copy`: every reader gets a copy.
 * - `reference`: all share the very value; changing it changes it for all. Who finds in L1 what a `frozen` reader brought
 *   there gets that, frozen; a call that says `frozen` gets a copy of what a `reference` one brought there.
 */
export type Isolation = 'frozen' | 'copy' | 'reference'

/** Freezes plain objects and arrays all the way down. Answers whether that covers the whole value. */
export function freezeDeep(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const isArray = Array.isArray(value)
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return false
  let whole = true
  if (isArray) {
    for (let index = 0; index < value.length; index++) if (!freezeDeep(value[index])) whole = false
  } else {
    for (const name in value) if (!freezeDeep((value as Record<string, unknown>)[name])) whole = false
  }
  // A value that will be copied stays unfrozen, so that its copies are made of ordinary objects.
  if (whole) Object.freeze(value)
  return whole
}

/** Whether {@link freezeDeep} covered a value that all readers share; one that is kept as a `reference` can be changed. */
export function isFrozen(value: unknown): boolean {
  return Object.isFrozen(value)
}

/** A copy of decoded data, which shares nothing that can be changed with the original. */
export function copyDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  return copyObject(value) as T
}

function copyObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(copyDeep)
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [copyDeep(key), copyDeep(item)]))
  if (value instanceof Set) return new Set([...value].map(copyDeep))
  if (value instanceof Date) return new Date(value)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof ArrayBuffer) return value.slice(0)
  if (value instanceof DataView) return new DataView(copyBytes(value))
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice()
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) copy[name] = copyDeep(item)
  return copy
}

function copyBytes(view: DataView): ArrayBuffer {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer
}
