/**
 * A stamp names a state of a tag, or of a namespace that can be cleared: `n:nonce`, where `n` is the chain's number at
 * its last invalidation and `nonce` that link's random tip. An entry carries the stamps that held when it was stored
 * and is void as soon as one of them is another one, or gone: absence never means "fresh".
 *
 * In Redis a soft invalidation adds its own number behind: `n:nonce:softN`. An entry that is known to follow a lower
 * number is stale.
 */
export interface Stamp {
  readonly name: string
  /** Entries whose `n0` is lower are stale; 0: none is. */
  readonly softN: number
}

const STAMP = /^(\d{1,17}:[0-9a-f]{16})(?::(\d{1,17}))?$/

/** The stamp in the bytes of a key of ours; `undefined` for absence and for whatever is no stamp. */
export function readStamp(bytes: Buffer | null | undefined): Stamp | undefined {
  if (!bytes) return undefined
  const match = STAMP.exec(bytes.toString('latin1'))
  return match?.[1] === undefined ? undefined : { name: match[1], softN: Number(match[2] ?? 0) }
}

/**
 * What the stamps of its groups say of an entry.
 *
 * - `holds`: nothing.
 * - `stale`: one of them was softly invalidated since.
 * - `void`: one of them is another one now, or gone.
 */
export type Verdict = 'holds' | 'stale' | 'void'

/** Compares the stamps that an entry carries with the current ones, in the same order. */
export function judgeStamps(carried: readonly string[], n0: number, current: readonly (Stamp | undefined)[]): Verdict {
  let verdict: Verdict = 'holds'
  for (let index = 0; index < current.length; index++) {
    const stamp = current[index]
    if (stamp === undefined || carried[index] !== stamp.name) return 'void'
    if (n0 < stamp.softN) verdict = 'stale'
  }
  return verdict
}
