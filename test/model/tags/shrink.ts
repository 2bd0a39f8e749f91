/** How many parts are tried at most. */
const ATTEMPTS_MOST = 600

/**
 * The shortest part of a list that is found to be as bad as the whole: parts are left out, great ones first, for as long
 * as the rest is still bad.
 */
export async function shrink<Item>(
  whole: readonly Item[],
  isBad: (part: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let kept = whole
  let attempts = 0
  let size = Math.ceil(whole.length / 2)
  while (size >= 1) {
    const before = kept.length
    for (let end = kept.length; end > 0 && attempts < ATTEMPTS_MOST; end -= size) {
      const rest = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)]
      attempts++
      if (await isBad(rest)) kept = rest
    }
    if (attempts >= ATTEMPTS_MOST) return kept
    // Leaving one item out may make another one needless.
    if (size > 1 || kept.length === before) size = Math.floor(size / 2)
  }
  return kept
}
