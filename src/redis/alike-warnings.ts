import type { MissingRight } from './rights.ts'
import type { Warning } from './warnings.ts'
import { Warnings } from './warnings.ts'

/** Of the masters of a Cluster, which are set up alike: what one gives cause to warn of is not told of the others again. */
export class AlikeWarnings extends Warnings {
  readonly #details = new Set<string>()

  override tellOnce(warning: Warning): void {
    if (warning.detail) {
      const detail = `${warning.code} ${JSON.stringify(warning.detail)}`
      if (this.#details.has(detail)) return
      this.#details.add(detail)
    }
    super.tellOnce(warning)
  }

  /** A right is granted on each of them. */
  override missingRight(_server: string, missing: MissingRight): void {
    super.missingRight('the Redis Cluster', missing)
  }
}
