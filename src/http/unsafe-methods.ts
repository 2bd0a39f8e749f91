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
  const own = parseUrl(`${request.scheme}://${request.host ?? ''}`)
  const targets = new Set(ownTargets(request.target))
  const base = own && parseUrl(`${own.origin}${[...targets][0] ?? '/'}`)
  for (const name of ['location', 'content-location']) {
    for (const reference of linesOf(head.fields, name)) {
      for (const target of targetsOf(reference, base)) targets.add(target)
    }
  }
  return [...targets]
}

/**
 * The hosts whose pages such a request makes invalid: whichever of those that it names the application went by, its own
 * (of repeated ones Node shows the first) or that of a target that is a whole URL (RFC 9112, section 3.2.2).
 */
export function invalidatedHosts({ host, headers, target }: HttpRequest): readonly string[] {
  const hosts = [host ?? headers.host, /^https?:\/\/([^/?#]+)/i.exec(target)?.[1]]
  return [...new Set(hosts)].filter((each) => typeof each === 'string')
}

/** A request may name its target as a whole URL (RFC 9112, section 3.2.2), of which applications see the path. */
function ownTargets(target: string): readonly string[] {
  return /^https?:/i.test(target) ? targetsOf(target, parseUrl(target)) : [target]
}

/** A reference as written and as a URL parser normalises it, since keys are made of raw targets. */
function targetsOf(reference: string, base: URL | undefined): readonly string[] {
  const url = base && parseUrl(reference, base.href)
  if (!url || url.origin !== base.origin) return []
  const raw = /^(?:https?:\/\/[^/?#]+(?=\/)|(?=\/(?!\/)))([^#]*)/i.exec(reference)?.[1]
  const normal = `${url.pathname}${url.search}`
  return raw === undefined || raw === normal ? [normal] : [raw, normal]
}

function parseUrl(reference: string, base?: string): URL | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base) : undefined
}
