/**
 * A stamp names a state of a tag, or of a namespace that can be cleared: `n:nonce`, where `n` is the chain's number at
 * its last invalidation and `nonce` that link's random tip. An entry carries the stamps that held when it was stored
 * and is void as soon as one of them is another one, or gone: absence never means "fresh".
 */
export type Stamp = string

const STAMP = /^\d{1,17}:[0-9a-f]{16}$/

/** The stamp in the bytes of a key of ours; `undefined` for absence and for whatever is no stamp. */
export function readStamp(bytes: Buffer | null | undefined): Stamp | undefined {
  if (!bytes) return undefined
  const text = bytes.toString('latin1')
  return STAMP.test(text) ? text : undefined
}

/** Whether every stamp that an entry carries is still the current one. */
export function stampsHold(carried: readonly Stamp[], current: readonly (Stamp | undefined)[]): boolean {
  for (let index = 0; index < current.length; index++) {
    if (current[index] === undefined || carried[index] !== current[index]) return false
  }
  return true
}
