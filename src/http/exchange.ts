import type { FieldValue, Fields, HttpRequest, ResponseHead } from './message.ts'
import type { HttpSettings } from './options.ts'

/**
 * One request and its response, as the engine sees a framework: what each face has to offer. Exactly one of `answer`
 * and `forward` is called, once.
 */
export interface Exchange {
  readonly request: HttpRequest
  /** The client went away or was answered already: nobody will see a response, and none need be made. */
  isGone(): boolean
  /** Answers in place of the application. */
  answer(answer: Answer): void
  /** Lets the application answer, and shows `watcher` what it writes. */
  forward(watcher: Watcher): void
}

/** A whole response of the cache's own. */
export interface Answer {
  readonly status: number
  readonly message: string | undefined
  readonly fields: Fields
  readonly age: string | undefined
  readonly cacheStatus: string | undefined
  /** `undefined`: none is sent, though the fields may tell its length (HEAD, 304). */
  readonly body: Uint8Array | undefined
}

/** What watches a response while the application writes it. It never delays a byte, `holdsEnd` aside. */
export interface Watcher {
  /** Conditionals of the client (If-None-Match, If-Modified-Since) are hidden from the application. */
  readonly hidesConditionals: boolean
  /** The body is watched too, if the head's orders say so. */
  readonly watchesBody: boolean
  /** The response may not be complete for the client before `beforeEnd` has resolved. */
  readonly holdsEnd: boolean
  /** The final head, before it is sent; called once. */
  head(head: ResponseHead): HeadOrders
  /** A chunk of the body, valid during the call only. `false`: no further one is wanted. */
  chunk(bytes: Uint8Array): boolean
  /** The application has called for the end; nothing but sending it is left to do. */
  beforeEnd(): Promise<unknown> | undefined
  /** The response is over. `complete`: the application ended it, and nothing was cut off. */
  over(complete: boolean): void
  /** The route's own lifetime for this response, in ms. */
  setTtl(ms: number): void
  /** The route does not want this response stored. */
  skip(): void
  /** A cache of the same response further inside has settings of its own. */
  refine(settings: HttpSettings): void
}

/** What becomes of a head that the application is about to send. */
export interface HeadOrders {
  /** The status to send; another than the application's only for a 304 in place of a 200. */
  readonly status: number
  /** Names of fields to leave out. */
  readonly without: readonly string[]
  /** Fields to set, in place of those of the same name. */
  readonly set: readonly (readonly [name: string, value: FieldValue])[]
  /** Show the body to the watcher. */
  readonly watchBody: boolean
}
