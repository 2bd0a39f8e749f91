import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the rights are to hold: on one server or what Sentinel names as such, on a Cluster, on sentinels themselves. */
export type Carrier = 'server' | 'cluster' | 'sentinel'

/** In the order of the page. */
const carriers: readonly Carrier[] = ['server', 'cluster', 'sentinel']

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/redis-rights.md'), 'utf8')

/** The `ACL SETUSER` of the page for each carrier, in their order. */
const lines = [...page.matchAll(/^ACL SETUSER (?<user>\S+) (?<rules>.*)$/gm)].map(({ groups }) => ({
  user: groups?.user ?? '',
  rules: groups?.rules?.split(' ') ?? [],
}))

/** A user of exactly the rights that docs/reference/redis-rights.md says that the cache needs. */
export interface DocumentedUser {
  readonly user: string
  readonly password: string
  /** The rules as they stand there: patterns of names, commands, and what comes before them. */
  readonly rules: readonly string[]
  /** Of the rules those that grant something. */
  readonly rights: readonly string[]
  /** The rules for caches of another prefix. */
  under(prefix: string): readonly string[]
}

export function documentedUser(carrier: Carrier): DocumentedUser {
  const { user = '', rules = [] } = lines[carriers.indexOf(carrier)] ?? {}
  return {
    user,
    password: rules.find((rule) => rule.startsWith('>'))?.slice(1) ?? '',
    rules,
    rights: rules.filter((rule) => /^[~&+]/.test(rule)),
    under: (prefix) => rules.map((rule) => (/^[~&]/.test(rule) ? rule.replace('tiercache', prefix) : rule)),
  }
}

/** What the page says of each right: the rows of its tables. */
export const documentedRights: readonly { readonly right: string; readonly without: string }[] = [
  ...page.matchAll(/^\| `(.+?)` \| .+ \| (.+) \|$/gm),
].map(([, right = '', without = '']) => ({ right: right.replace('\\|', '|'), without }))
