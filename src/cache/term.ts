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
  return { createdAt, freshUntil: createdAt + ttlMs, staleUntil: createdAt + ttlMs + kept.staleMs }
}

/** How long a loaded value is fresh, and may be served after that: as its loader says, or else its settings. */
export function loadedTermOf(
  {
    value,
    ttlMs,
    staleMs,
  }: { readonly value: unknown; readonly ttlMs: number | undefined; readonly staleMs: number | undefined },
  settings: Pick<LoadSettings, 'ttlMs' | 'staleMs' | 'negativeTtlMs'>,
): Pick<EntrySettings, 'ttlMs' | 'staleMs'> {
  return {
    ttlMs: ttlMs ?? (value === null ? settings.negativeTtlMs : undefined) ?? settings.ttlMs,
    staleMs: staleMs ?? settings.staleMs,
  }
}
