/**
 * Collects all garbage now, so that no round pays for the one before. V8 has little room for young objects after that, and grows it
 * anew at the cost of what follows.
 */
export function collectGarbage(): void {
  if (!globalThis.gc) throw new Error('the benches need node --expose-gc')
  void globalThis.gc()
}
