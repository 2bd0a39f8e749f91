import type { ForwardReason } from './cache-status.ts'
import type { HttpRequest } from './message.ts'
import type { SearchVariance } from './no-vary-search.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Validators } from './validation.ts'

/** What a recording is about: the request as it came in, since handlers may change theirs. */
export interface Subject {
  readonly request: HttpRequest
  readonly resource: string
  /** The variance under which others are equivalent to the resource; a response that does not name it answers only its own. */
  readonly variance?: SearchVariance | undefined
  readonly reason: ForwardReason
  /** For Cache-Status; `undefined`: the client is not told. */
  readonly shownKey?: string | undefined
  /** Whether a client waits for it. */
  readonly forClient: boolean
  /** The application sees the conditionals of the client: a whole response would be made for nobody else. */
  readonly showsConditionals?: boolean
  /** What is to be replaced, or confirmed. */
  readonly stale?: StoredResponse | undefined
  /** Those of `stale`, as the application sees them. */
  readonly validators?: Validators | undefined
}

/**
 * What became of a response that was watched in order to be stored.
 *
 * - `complete`: here it is; or the stored one, that the application has confirmed.
 * - `confirmed`: the application has confirmed the stored one, and what that has changed is not worth a write.
 * - `unshareable`: it is for this client alone; the others need their own. `supersedes`: not what was stored before, either.
 * - `abandoned`: it was cut off before its end; another one may do better.
 * - `failed`: the application failed, and what is stored stands in for it.
 * - `late`: it may be shared, but its end is long in coming; what becomes of it then is the `rest`.
 */
export type Recorded = Ended | Late

export type Ended =
  | { readonly kind: 'complete'; readonly stored: StoredResponse }
  | { readonly kind: 'confirmed'; readonly stored: StoredResponse }
  | { readonly kind: 'unshareable'; readonly supersedes: boolean }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly status: number }

export interface Late {
  readonly kind: 'late'
  /** When the application was asked. */
  readonly startedAt: number
  /** The request fields that it depends on. */
  readonly fields: readonly string[]
  /** Its tags, as far as they are known by now. */
  readonly tags: readonly string[]
  readonly rest: Promise<Ended>
}
