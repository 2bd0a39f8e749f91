import { linesOf } from './message.ts'
import type { HttpRequest, ResponseHead } from './message.ts'

/** Registered methods that change nothing (RFC 9110, section 9.2.1). An unknown method is unsafe. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])

export function isSafe(method: string): boolean {
  return SAFE.has(method)
}

/**
 * The targets whose stored responses the response to an unsafe request makes invalid (RFC 9111, section 4.4): none if
 * it failed; else its own target and those of Location and Content-Location, as far as they have the same origin.
 */
export function invalidatedTargets(request: HttpRequest, head: ResponseHead): readonly string[] {
  if (head.status < 200 || head.status >= 400) return []
  const targets = new Set([request.target])
  for (const name of ['location', 'content-location']) {
    for (const reference of linesOf(head.fields, name)) {
      for (const target of targetsOf(reference, request)) targets.add(target)
    }
  }
  return [...targets]
}

/** A reference as written and as a URL parser normalises it, since keys are made of raw targets. */
function targetsOf(reference: string, request: HttpRequest): readonly string[] {
  const base = parseUrl(request.target, `${request.scheme}://${request.host ?? ''}`)
  const url = base && parseUrl(reference, base.href)
  if (!url || url.origin !== base.origin) return []
  const raw = /^\/(?!\/)[^#]*/.exec(reference)?.[0]
  const normal = `${url.pathname}${url.search}`
  return raw === undefined || raw === normal ? [normal] : [raw, normal]
}

function parseUrl(reference: string, base: string): URL | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base) : undefined
}
