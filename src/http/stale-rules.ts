import { fieldNames, leastSeconds, LONGEST_SECONDS } from './cache-control.ts'
import { isOverAtOnce } from './lifetime.ts'
import { linesOf } from './message.ts'
import type { CacheControl } from './cache-control.ts'
import type { Fields } from './message.ts'
import type { Lifetime } from './lifetime.ts'
import type { HttpSettings } from './settings.ts'
import type { Control } from './targeted.ts'

/** For what a response may be used past its lifetime, and how long past it. */
export interface StaleRules {
  /** Served, while a newer one is made behind it (RFC 5861, section 3). */
  readonly whileRevalidateMs: number
  /** Served in place of a failure (RFC 5861, section 4). */
  readonly ifErrorMs: number
  /** Never served without validation, whatever a request accepts (RFC 9111, section 4.2.4): the others are 0. */
  readonly mustRevalidate: boolean
}

/**
 * What a response says of its use when it is stale, and in its silence the options: a contract with the application,
 * which knows of them (RFC 9111, section 4.2.4). `no-cache`, `must-revalidate`, `proxy-revalidate` and `s-maxage` bar
 * all of it (sections 5.2.2.2, 5.2.2.4, 5.2.2.8 and 5.2.2.10). The options do not make longer what was said to be over at once.
 */
export function staleRulesOf(
  control: Control,
  lifetime: Lifetime | undefined,
  settings: Pick<HttpSettings, 'staleMs' | 'staleIfErrorMs'>,
): StaleRules {
  const { directives } = control
  if (isBarred(control)) return { whileRevalidateMs: 0, ifErrorMs: 0, mustRevalidate: true }
  const { staleMs, staleIfErrorMs = staleMs } = isOverAtOnce(lifetime) ? NO_OPTIONS : settings
  return {
    whileRevalidateMs: saidMs(directives, 'stale-while-revalidate') ?? bounded(staleMs),
    ifErrorMs: saidMs(directives, 'stale-if-error') ?? bounded(staleIfErrorMs),
    mustRevalidate: false,
  }
}

/**
 * How long past its lifetime a response is retained: for what its rules allow, and, if the application could confirm it,
 * for the option `keep`.
 */
export function retentionOf(fields: Fields, stale: StaleRules, settings: HttpSettings): number {
  const keepMs = hasValidator(fields) ? settings.keepMs : 0
  return bounded(Math.max(stale.whileRevalidateMs, stale.ifErrorMs, keepMs))
}

/** Whether it is never to be used without asking the application (the field form of `no-cache` concerns fields alone). */
function isBarred({ directives }: Control): boolean {
  return BARS.some((name) => directives.has(name)) || fieldNames(directives, 'no-cache') === 'all'
}

const NO_OPTIONS = { staleMs: 0, staleIfErrorMs: 0 }

const BARS = ['must-revalidate', 'proxy-revalidate', 's-maxage']

function saidMs(directives: CacheControl, name: string): number | undefined {
  const seconds = leastSeconds(directives, name)
  return seconds === undefined ? undefined : seconds * 1000
}

function bounded(ms: number): number {
  return Math.min(ms, LONGEST_SECONDS * 1000)
}

/** What the application can compare with what it would send now (RFC 9110, section 8.8). */
function hasValidator(fields: Fields): boolean {
  return linesOf(fields, 'etag').length > 0 || linesOf(fields, 'last-modified').length > 0
}
