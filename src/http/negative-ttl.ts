import { badValue } from '../errors.ts'
import { readDuration } from '../options.ts'
import { CACHEABLE_FAILURES } from './status.ts'
import type { Duration } from '../options.ts'

/** How long failures are fresh: one duration for those that are heuristically cacheable, or durations by status. */
export type NegativeTtl = Duration | Readonly<Record<number, Duration>>

/** Milliseconds by status. Throws `ERR_INVALID_OPTION`. */
export function readNegativeTtl(name: string, value: unknown): ReadonlyMap<number, number> {
  if (!isByStatus(value)) {
    const ms = readDuration(name, value)
    return new Map([...CACHEABLE_FAILURES].map((status) => [status, ms]))
  }
  const given = Object.entries(value).filter(([, duration]) => duration !== undefined)
  return new Map(
    given.map(([status, duration]) => [readStatus(name, status), readDuration(`${name}.${status}`, duration)]),
  )
}

/** Durations have names for parts (`minutes`), and no numbers. */
function isByStatus(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.keys(value).some((key) => /^\d+$/.test(key))
}

function readStatus(name: string, text: string): number {
  if (!/^[45]\d\d$/.test(text)) throw badValue('ERR_INVALID_OPTION', name, 'a duration by status (400 to 599)', text)
  return Number(text)
}
