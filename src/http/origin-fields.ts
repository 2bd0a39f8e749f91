import type { HttpRequest } from './message.ts'

/**
 * The request fields that say the origin of a request, sorted by whether the key has what they say. An absent one says nothing
 * else. A proxy that is trusted may let by what its client has written: another `Host` beside its own `X-Forwarded-Host`, or a
 * list of which its own is but the first.
 */
export interface OriginFields {
  readonly keyed: readonly string[]
  readonly contradicting: readonly string[]
}

export function originFields({ headers, host, scheme }: HttpRequest): OriginFields {
  const inKey = {
    host,
    ':authority': host,
    'x-forwarded-host': host,
    ':scheme': scheme,
    'x-forwarded-proto': scheme,
  }
  const keyed: string[] = []
  const contradicting: string[] = []
  for (const [name, value] of Object.entries(inKey)) {
    const said = headers[name]
    ;(said === undefined || said === value ? keyed : contradicting).push(name)
  }
  return { keyed, contradicting }
}
