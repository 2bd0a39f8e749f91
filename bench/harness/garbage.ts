/** Collects all garbage now, so that no round pays for the one before. */
export function collectGarbage(): void {
  if (!globalThis.gc) throw new Error('the benches need node --expose-gc')
  void globalThis.gc()
}
