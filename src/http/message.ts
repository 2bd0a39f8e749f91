/** The value of a response field: one line, or several that must stay separate lines (Set-Cookie, Link). */
export type FieldValue = string | readonly string[]

/** A response field: its name as the application wrote it, and its value. */
export type Field = readonly [name: string, value: FieldValue]

/** The fields of a response in the order in which they are sent. Names are compared without regard to case. */
export type Fields = readonly Field[]

/** Request fields by lower-case name, as every Node server gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** A request as plain data: what a framework's face makes of its own. */
export interface HttpRequest {
  readonly method: string
  /** `http` or `https`, as far as the application's proxy settings vouch for it. */
  readonly scheme: string
  /** The authority that the client named; not validated here. `undefined` if it named none, or several. */
  readonly host: string | undefined
  /** The request target as it came over the wire: raw path and query. */
  readonly target: string
  readonly headers: RequestHeaders
  /**
   * Whether the request brings another host along (X-Forwarded-Host) that the proxy settings do not vouch for: it is
   * not in `host`, but the application can read it.
   */
  readonly foreignHost: boolean
  /** The same of another scheme (X-Forwarded-Proto). */
  readonly foreignScheme?: boolean | undefined
  /** Whether its connection says who the client is: a TLS client has shown a certificate. */
  readonly clientCertificate?: boolean | undefined
  /** Whether content follows that no field tells of, as in HTTP/2. */
  readonly undeclaredContent?: boolean | undefined
  /** The whole content of a QUERY, where the face has read it. */
  readonly content?: Uint8Array | undefined
}

/** Whether a request says who its client is in a way that RFC 9111, section 3.5, is about. */
export function isAuthorized({ headers, clientCertificate }: HttpRequest): boolean {
  return headers.authorization !== undefined || clientCertificate === true
}

/** The head of a final response (never a 1xx). */
export interface ResponseHead {
  readonly status: number
  /** The reason phrase, where the application gave one of its own. */
  readonly message?: string | undefined
  readonly fields: Fields
}

/** The lines of a response field, in order; `name` in lower case. */
export function linesOf(fields: Fields, name: string): string[] {
  const lines: string[] = []
  for (const [candidate, value] of fields) {
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    if (typeof value === 'string') lines.push(value)
    else lines.push(...value)
  }
  return lines
}

/** A list-based response field as one text (RFC 9110, section 5.3), or `undefined` if it is absent. */
export function combined(fields: Fields, name: string): string | undefined {
  const lines = linesOf(fields, name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** A request field as one text, or `undefined` if it is absent; `name` in lower case. */
export function requestField(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined || typeof value === 'string' ? value : value.join(', ')
}
