import { linesOf } from './message.ts'
import type { Lifetime } from './lifetime.ts'
import type { HttpRequest, ResponseHead } from './message.ts'

/**
 * Whether the response to a POST is what a GET of the same URL would be answered with (RFC 9110, sections 8.7 and 9.3.3):
 * it is a 200, its Content-Location names the target of the request, and it says itself how long it is fresh.
 */
export function isPostAnswer(request: HttpRequest, head: ResponseHead, lifetime: Lifetime | undefined): boolean {
  if (head.status !== 200 || (lifetime?.source !== 'explicit' && lifetime?.source !== 'route')) return false
  const [reference, ...more] = linesOf(head.fields, 'content-location')
  return reference !== undefined && more.length === 0 && namesTarget(reference, request)
}

function namesTarget(reference: string, { scheme, host, target }: HttpRequest): boolean {
  const text = `${scheme}://${host ?? ''}${target}`
  if (!URL.canParse(text) || !URL.canParse(reference, text)) return false
  const url = new URL(text)
  return new URL(reference, url).href === url.href
}
