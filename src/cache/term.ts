import type { EntrySettings, LoadSettings } from './call-options.ts'
import type { Parts } from './parts.ts'

/** When a value was stored, and the two deadlines that its settings give it from then on, as `entry/entry.ts` has them. */
export interface Term {
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
}

/** The term of a value that is stored now. */
export function termOf({ clock }: Parts, kept: Pick<EntrySettings, 'ttlMs' | 'staleMs' | 'jitter'>): Term {
  const createdAt = clock.now()
  const ttlMs = kept.jitter === 0 ? kept.ttlMs : kept.ttlMs * (1 - kept.jitter * clock.random())
  return { createdAt, freshUntil: createdAt + ttlMs, staleUntil: createdAt + ttlMs + (kept.staleMs ?? 0) }
}

/** A value, and what its loader said of how it is kept; `undefined`: as its settings say. */
export interface Made {
  readonly value: unknown
  readonly ttlMs: number | undefined
  readonly staleMs: number | undefined
  readonly tags: readonly string[]
  /** Set when the loader said that its value must not be stored: what others do then. */
  readonly skippedFor: 'each' | 'next' | undefined
}

/** How a loaded value is kept: as its loader says, or else its settings; `undefined` for one that is not to be stored. */
export function keptOf<Settings extends LoadSettings>(run: Made, settings: Settings): Settings | undefined {
  const { value, tags } = run
  if (run.skippedFor || value === undefined) return undefined
  const ttlMs = run.ttlMs ?? (value === null ? settings.negativeTtlMs : undefined) ?? settings.ttlMs
  const staleMs = run.staleMs ?? settings.staleMs ?? 0
  return ttlMs + staleMs === 0 ? undefined : { ...settings, ttlMs, staleMs, tags }
}
