import { systemClock } from '../../src/clock.ts'
import type { Clock } from '../../src/clock.ts'
import type { EnvelopeSettings } from '../../src/entry/envelope.ts'
import { Envelope } from '../../src/entry/envelope.ts'

export interface EnvelopeOf extends Partial<EnvelopeSettings> {
  readonly prefix?: string
  readonly bytesMost?: number
  readonly clock?: Clock
}

/** An envelope; of no settings, it leaves all as it is. */
export function envelopeOf({ prefix = 'tc', bytesMost = 2 ** 24, clock = systemClock, ...settings }: EnvelopeOf = {}) {
  return new Envelope(prefix, { compression: undefined, keys: undefined, ...settings }, bytesMost, clock)
}
