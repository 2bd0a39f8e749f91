import type { Address } from '../../../src/entry/entry.ts'
import { namespaceGroup, namespacesAbove, RedisNames, tagGroup } from '../../../src/entry/key.ts'

/** The first word of all names. */
export const PREFIX = 'model'

/** The names in Redis of everything that a run touches. */
export const names = new RedisNames(PREFIX, 0)

/** Namespaces that nest. */
export const namespaces = ['_', 'shop', 'shop.users'] as const

/** Few, so that they meet; `green` and `cold` share a field of the chain's head. */
export const tags = ['red', 'green', 'blue', 'hot', 'cold'] as const

/** Keys, each behind its namespace. */
export const plainKeys = ['_:a', 'shop:a', 'shop:b', 'shop.users:a', 'shop.users:b'] as const
export const counterKeys = ['_:hits', 'shop.users:hits'] as const
export const keys = [...plainKeys, ...counterKeys] as const

export type Key = (typeof keys)[number]
export type Tag = (typeof tags)[number]
export type Namespace = (typeof namespaces)[number]

export function addressOf(key: Key): Address {
  const colon = key.indexOf(':')
  return { namespace: key.slice(0, colon), key: key.slice(colon + 1) }
}

export const entryName = (key: Key): string => names.entry(addressOf(key))
export const leaseName = (key: Key): string => names.lease(addressOf(key))

/** What can be made void as one: the namespaces above a key, and tags. A stamp has the name of its group. */
export const groupsAbove = (key: Key): readonly string[] =>
  namespacesAbove(addressOf(key).namespace).map(namespaceGroup)

const stamps = new Map([
  ...namespaces.map((namespace) => [namespaceGroup(namespace), names.clearStamp(namespace)] as const),
  ...tags.map((tag) => [tagGroup(tag), names.tagStamp(tag)] as const),
])

export const groups: readonly string[] = [...stamps.keys()]

export function stampName(group: string): string {
  const name = stamps.get(group)
  if (name === undefined) throw new Error(`there is no group ${group}`)
  return name
}

/** Every key of Redis that may exist, by what it is. */
export const namesByPart = {
  entry: keys.map(entryName),
  lease: keys.map(leaseName),
  stamp: [...stamps.values()],
  chain: [names.chain],
} as const
