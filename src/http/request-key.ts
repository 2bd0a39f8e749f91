import { createHash } from 'node:crypto'
import { AUTHORITY } from './authority.ts'
import { nominated } from './vary.ts'
import type { HttpRequest, RequestHeaders } from './message.ts'

/** What a resource with variants is told apart by. The nonce is new whenever the list is. */
export interface VariantRule {
  readonly nonce: string
  readonly fields: readonly string[]
}

/**
 * The resource that a request names, as a text that no other resource has: scheme, validated lower-case authority, raw
 * path and query, each with its length in front so that no component can reach into the next. `undefined` if the
 * request names none that could be cached: no or a malformed Host, or a target that is not a path.
 */
export function resourceOf(request: HttpRequest): string | undefined {
  const host = request.host?.toLowerCase()
  if (host === undefined || !AUTHORITY.test(host) || request.target.charCodeAt(0) !== SLASH) return undefined
  return `${prefixed(request.scheme)}${prefixed(host)}${prefixed(request.target)}`
}

/** The variant of a resource that a request asks for, under the rule that holds for the resource now. */
export function variantOf(resourceKey: string, rule: VariantRule, headers: RequestHeaders): string {
  let text = `${prefixed(resourceKey)}${prefixed(rule.nonce)}`
  for (const field of rule.fields) text += prefixed(field) + prefixed(nominated(headers, field))
  return text
}

/**
 * Turns the texts of this file into keys (SHA-256), and remembers those asked for lately: two generations, so that a
 * flood of new ones pushes out what is old and nothing grows. Long texts are not remembered.
 */
export class Keys {
  #young = new Map<string, string>()
  #old = new Map<string, string>()

  of(text: string): string {
    if (text.length > LONGEST_REMEMBERED) return digest(text)
    const known = this.#young.get(text)
    if (known !== undefined) return known
    const key = this.#old.get(text) ?? digest(text)
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, key)
    return key
  }
}

const SLASH = 0x2f
const GENERATION = 2048
const LONGEST_REMEMBERED = 512

function prefixed(component: string): string {
  return `${component.length}:${component}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
