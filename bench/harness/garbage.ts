/** Collects all garbage now. V8 has little room for young objects after that, and grows it anew at the cost of what follows. */
export function collectGarbage(): void {
  collector()()
}

/** Collects young garbage now, so that no round pays for the one before, and each finds V8 as a process that lives long does. */
export function collectYoungGarbage(): void {
  collector()({ type: 'minor' })
}

function collector(): (options?: { readonly type: 'minor' }) => unknown {
  if (!globalThis.gc) throw new Error('the benches need node --expose-gc')
  return globalThis.gc as (options?: { readonly type: 'minor' }) => unknown
}
