import type { RequestHeaders } from './message.ts'

/** Names of request fields that a handler has read, in lower case; absent ones among them. */
export type HeaderReads = Set<string>

/**
 * Request fields that behave as the given ones, and note which of them are read. What the application writes itself is its
 * own: reading it later is not noted.
 *
 * A Proxy can be told from what it stands for by what copies objects in the manner of `structuredClone`, which refuses it;
 * nothing else does.
 */
export function watchHeaders<Headers extends RequestHeaders>(headers: Headers, reads: HeaderReads): Headers {
  const written = new Set<PropertyKey>()
  const note = (name: PropertyKey) => {
    if (typeof name === 'string' && !written.has(name) && isFieldName(name)) reads.add(name)
  }
  return new Proxy(headers, {
    get(target, name) {
      note(name)
      return Reflect.get(target, name)
    },
    has(target, name) {
      note(name)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor(target, name) {
      note(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
    set(target, name, value) {
      written.add(name)
      return Reflect.set(target, name, value)
    },
    defineProperty(target, name, descriptor) {
      written.add(name)
      return Reflect.defineProperty(target, name, descriptor)
    },
    deleteProperty(target, name) {
      written.add(name)
      return Reflect.deleteProperty(target, name)
    },
  })
}

/** Notes all fields that a request carries: its handler has read them in one piece. */
export function noteAll(headers: RequestHeaders, reads: HeaderReads): void {
  for (const name of Object.keys(headers)) if (isFieldName(name)) reads.add(name)
}

const LOWER_CASE_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Those pseudo-fields of HTTP/2 that may say something else than the key has; method and path are what it has. */
const OF_ORIGIN = /^:(?:authority|scheme)$/

/** What every object is asked for is no field: `constructor`, and `then` by `await`. */
function isFieldName(name: string): boolean {
  if (OF_ORIGIN.test(name)) return true
  return LOWER_CASE_TOKEN.test(name) && !(name in Object.prototype) && name !== 'then'
}
