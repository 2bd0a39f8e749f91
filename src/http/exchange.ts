import type { FieldValue, Fields, HttpRequest, RequestHeaders, ResponseHead } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { HeaderReads } from './watched-headers.ts'

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
  /**
   * Lets the application answer, and shows `watcher` what it writes. `shown`: request fields by lower-case name that it
   * sees as if the client had sent them: validators of ours. Seen until the head is written.
   */
  forward(watcher: Watcher, shown?: RequestHeaders): void
  /**
   * The same request once more, without a client: as a GET where it is a HEAD, without conditionals and Range, and never
   * gone. `forward` sends it through the whole application again, past the cache in front, which lets the watcher have
   * it; nothing is ever sent. Made before this exchange is answered. Without its credentials, Cookie included: what it
   * makes may be kept for those alone that `request` of it stands for. Absent where a face has no way to do so, and
   * `undefined` for a request with Authorization: nothing is renewed behind its reader then.
   */
  detached?(): Exchange | undefined
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
  /** Conditionals and Range of the client (If-None-Match, If-Modified-Since, Range, If-Range) are hidden from the application. */
  readonly hidesConditionals: boolean
  /** It may order another status or answer: the head must be known before the first byte of the body is on its way. */
  readonly mayReplace: boolean
  /** Request fields, by lower-case name, that the application sees in place of the client's until the response is over. */
  readonly normalized?: RequestHeaders | undefined
  /** The body is watched too, if the head's orders say so. */
  readonly watchesBody: boolean
  /** The response may not be complete for the client before `beforeEnd` has resolved. */
  readonly holdsEnd: boolean
  /** Where the names of the request fields go that the application reads; `undefined`: nobody asks. */
  readonly headerReads?: HeaderReads | undefined
  /** The final head, before it is sent; called once. */
  head(head: ResponseHead): HeadOrders
  /**
   * Something in front of the cache has changed `Cache-Control`, `Expires`, `Vary` or `Set-Cookie` as the head was sent: its
   * fields as they are now.
   */
  headChanged?(fields: Fields): void
  /** A chunk of the body, valid during the call only. `false`: no further one is wanted. */
  chunk(bytes: Uint8Array): boolean
  /** The application has called for the end; nothing but sending it is left to do. Where `holdsEnd`, no chunk follows. */
  beforeEnd(): Promise<unknown> | undefined
  /** The response is over. `complete`: the application ended it, and nothing was cut off. */
  over(complete: boolean): void
  /** The route's own lifetime for this response, in ms. */
  setTtl(ms: number): void
  /** The route does not want this response stored. */
  skip(): void
  /** Adds to the tags of this response, as far as it is stored. They were checked. */
  addTags(tags: readonly string[]): void
  /** A cache of the same response stands further inside. */
  refine(inner: InnerCache): void
}

/** A response cache behind another one: it keeps nothing itself, but has a say in what that one keeps. */
export interface InnerCache {
  readonly settings: HttpSettings
  /** Where it would keep its responses: the full name. */
  readonly namespace: string
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
  /**
   * Sent whole, in place of the application's response, as soon as `head` has returned. What the application writes is
   * let go by: its writes say `true`, call back and never wait, and its end ends nothing. `over` follows when it has ended.
   */
  readonly instead?: Answer | undefined
}
