/** The folder of the repository, seen from `build/bench/harness/`. */
export const root = new URL('../../../', import.meta.url)
