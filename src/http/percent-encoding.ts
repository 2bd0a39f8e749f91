/**
 * A target in the one spelling that all equivalent ones share: hexadecimal digits in upper case, and what need not be encoded
 * decoded (RFC 3986, sections 6.2.2.1 and 6.2.2.2). What is reserved stays as it is: `%2F` is no slash.
 *
 * No key is made of it. Applications may tell the spellings apart, as the routes of Express do (`/%70` is not `/p`): the answer
 * to one would be stored for the other. It is what a purge of one spelling reaches the others by.
 */
export function withNormalEncoding(target: string): string {
  if (!target.includes('%')) return target
  return target.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return UNRESERVED.test(character) ? character : encoded.toUpperCase()
  })
}

/** RFC 3986, section 2.3. */
const UNRESERVED = /[\w.~-]/
