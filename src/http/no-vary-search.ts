import { combined } from './message.ts'
import { formDecoded, parametersOf, splitTarget } from './query-parameters.ts'
import { parseDictionary } from './structured-fields.ts'
import type { Fields } from './message.ts'
import type { InnerList, Member } from './structured-fields.ts'

/**
 * Which differences of two queries say nothing (draft-ietf-httpbis-no-vary-search, section 3): the parameters of these
 * `names`, or all but these; and perhaps the order of parameters of different names.
 */
export interface SearchVariance {
  readonly names: readonly string[]
  /** What becomes of the names: they alone count, or they do not. */
  readonly rule: 'only' | 'all-but'
  readonly orderCounts: boolean
}

/**
 * The variance that a response names in No-Vary-Search (sections 3 and 4.1); `undefined` for the default one, where
 * every difference counts: the field is absent, says nothing, or is not understood.
 */
export function searchVariance(fields: Fields): SearchVariance | undefined {
  const text = combined(fields, 'no-vary-search')
  const value = text === undefined ? undefined : parseDictionary(text)
  if (!value) return undefined
  const order = asFlag(value.get('key-order') ?? FALSE)
  const which = namesOf(value.get('params') ?? FALSE, value.get('except'))
  if (order === undefined || !which) return undefined
  const variance: SearchVariance = { ...which, orderCounts: !order }
  return variance.orderCounts && variance.rule === 'all-but' && variance.names.length === 0 ? undefined : variance
}

/**
 * What is left of a target under a variance: two targets with one text are equivalent (section 5). `undefined` where
 * the target is not read as a query: it has a fragment, or characters that are not of a URL.
 */
export function searchClass(target: string, { names, rule, orderCounts }: SearchVariance): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(target) || target.includes('#')) return undefined
  const { path, query = '' } = splitTarget(target)
  const counting = parametersOf(query).filter(({ name }) => names.includes(name) === (rule === 'only'))
  // Sorting is stable: the values of one name keep their order.
  if (!orderCounts) counting.sort((one, other) => compare(one.name, other.name))
  return JSON.stringify([path, ...counting.map(({ name, value }) => [name, value])])
}

/** A variance as a text that no other one has. */
export function varianceText({ names, rule, orderCounts }: SearchVariance): string {
  return JSON.stringify([rule, orderCounts, names])
}

/** Whether a response names this very variance: only then may it answer equivalent targets. */
export function names(fields: Fields, variance: SearchVariance): boolean {
  const own = searchVariance(fields)
  return own !== undefined && varianceText(own) === varianceText(variance)
}

const FALSE = { type: 'boolean', value: false } as const

/** `params` and `except`; `undefined` if they are not understood. */
function namesOf(
  params: Member | typeof FALSE,
  except: Member | undefined,
): Pick<SearchVariance, 'names' | 'rule'> | undefined {
  const all = asFlag(params)
  if (except !== undefined) {
    const names = all === true ? asNames(except) : undefined
    return names && { names, rule: 'only' }
  }
  if (all !== undefined) return { names: [], rule: all ? 'only' : 'all-but' }
  const names = asNames(params)
  return names && { names, rule: 'all-but' }
}

function asFlag(member: Member | typeof FALSE): boolean | undefined {
  return member.type === 'boolean' ? member.value : undefined
}

/** Names are written as in a query: `%C3%A9+x` is `é x` (section 4.3). */
function asNames(member: Member | typeof FALSE): readonly string[] | undefined {
  if (member.type !== 'inner-list') return undefined
  const { items } = member as InnerList
  const names = items.map((item) => (item.type === 'string' ? formDecoded(item.value) : undefined))
  return names.every((name) => name !== undefined) ? [...new Set(names)].sort() : undefined
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
