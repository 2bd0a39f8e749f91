import { covers, variesBy } from './vary.ts'
import type { Fields, ResponseHead } from './message.ts'

/** What stands in front of a cache sees every response, those of the cache as well, and may write its own fields into each. */

/** Fields in which it may say that a response is not for all. */
const SAID = ['cache-control', 'expires', 'set-cookie']

/** The head of a response that was judged already, with what was said in front by the time it was sent. */
export function asSaidInFront(judged: ResponseHead, sent: Fields): ResponseHead {
  const isSaid = ([name]: Fields[number]) => SAID.includes(name.toLowerCase())
  return { ...judged, fields: [...judged.fields.filter((field) => !isSaid(field)), ...sent.filter(isSaid)] }
}

/**
 * Whether pages differ by more than was known when the response was judged. What is coded in front is coded there again,
 * whatever the cache answers.
 */
export function variesInFront(judged: ResponseHead, sent: Fields): boolean {
  const before = variesBy(judged.fields)
  const after = variesBy(sent)
  if (before === '*' || after === '*') return before !== after
  return !covers([...before, 'accept-encoding'], after)
}
