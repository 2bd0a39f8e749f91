import { searchVariance } from './no-vary-search.ts'
import { pathOf } from './request-key.ts'
import type { HttpRequest, ResponseHead } from './message.ts'
import type { SearchVariance } from './no-vary-search.ts'

/** Of so many paths a process remembers the variance; what is pushed out costs a load. */
const MOST_PATHS = 4096

/**
 * The variances that this process has seen, by path: the last one that a response named in No-Vary-Search
 * (draft-ietf-httpbis-no-vary-search, section 6). It says where to look for a response that answers an equivalent URL;
 * what is found there was stored under the same variance, so that another process, which has seen none or another one,
 * only makes the response once more. Bounded.
 */
export class SearchVariances {
  readonly #byPath = new Map<string, SearchVariance>()

  of(request: HttpRequest): SearchVariance | undefined {
    if (this.#byPath.size === 0 || request.method === 'QUERY') return undefined
    const path = pathOf(request)
    return path === undefined ? undefined : this.#byPath.get(path)
  }

  /** Notes what a response says of its path. A failure says nothing of it. */
  note(request: HttpRequest, { status, fields }: ResponseHead): void {
    const variance = searchVariance(fields)
    if (status >= 400 || (!variance && this.#byPath.size === 0)) return
    const path = pathOf(request)
    if (path === undefined) return
    this.#byPath.delete(path)
    if (!variance) return
    this.#byPath.set(path, variance)
    const [oldest] = this.#byPath.keys()
    if (this.#byPath.size > MOST_PATHS && oldest !== undefined) this.#byPath.delete(oldest)
  }
}
