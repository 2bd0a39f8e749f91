import { createHash } from 'node:crypto'

/** A script as the library carries it: comments out, includes in. */
export interface Script {
  readonly lua: string
  /** How many KEYS a caller passes; `n` where the number varies. */
  readonly keys: number | 'n'
  readonly sha1: string
}

/** Source files by name without folder and ending: `{ chain: '…' }`. */
export type Sources = Readonly<Record<string, string>>

/**
 * Builds one script from its source. Throws when its header does not match its file name or its body, so that a caller
 * may trust the header.
 */
export function buildScript(name: string, source: string, includes: Sources): Script {
  const keys = keysOf(name)
  const expanded = expand(name, source, includes)
  const lua = stripComments(expanded)
  const header = parseHeader(name, source)
  checkNumber(name, keys, header.KEYS)
  for (const table of ['KEYS', 'ARGV'] as const) checkUse(name, table, header[table], lua)
  return { lua, keys, sha1: createHash('sha1').update(lua).digest('hex') }
}

/** The text of `lua.generated.ts`. */
export function renderModule(scripts: Readonly<Record<string, Script>>): string {
  const entries = Object.entries(scripts).map(([name, { lua, keys, sha1 }]) => {
    const number = keys === 'n' ? "'n'" : keys
    return `  '${name}': {\n    keys: ${number},\n    sha1: '${sha1}',\n    lua: \`${escapeTemplate(lua)}\`,\n  },\n`
  })
  return `// Written by scripts/build-lua.ts from src/redis/lua: change the scripts there.\nexport const scripts = {\n${entries.join('')}} as const\n`
}

function escapeTemplate(text: string): string {
  return text.replace(/[\\`]|\$(?=\{)/g, '\\$&')
}

function keysOf(name: string): number | 'n' {
  const [, number] = /^[a-z][a-z-]*-(\d+|n)$/.exec(name) ?? []
  if (number === undefined) throw new Error(`${name}.lua: a script is named <concept>-<verb>-<number of KEYS>.lua`)
  return number === 'n' ? 'n' : Number(number)
}

const includeLine = /^--- @include ([a-z_]+)[ \t]*$/gm

/** Puts each included file where it is first asked for; what it includes itself stands before it. */
function expand(name: string, source: string, includes: Sources): string {
  const done = new Set<string>()
  const visit = (text: string, path: readonly string[]): string =>
    text.replace(includeLine, (_, wanted: string) => {
      if (path.includes(wanted)) throw new Error(`${name}.lua: circle of includes: ${[...path, wanted].join(' > ')}`)
      if (done.has(wanted)) return ''
      const found = includes[wanted]
      if (found === undefined) throw new Error(`${name}.lua: there is no includes/${wanted}.lua`)
      checkInclude(wanted, found)
      done.add(wanted)
      return visit(found, [...path, wanted])
    })
  return visit(source, [])
}

function checkInclude(name: string, source: string): void {
  const functions = [...source.matchAll(/^local function (\w+)/gm)].map(([, each]) => each)
  if (functions.length === 1 && functions[0] === name) return
  throw new Error(
    `includes/${name}.lua: holds ${functions.join(', ') || 'no function'}; it must hold the function ${name} alone`,
  )
}

/** What the header says of one of the two tables: single indexes, and where an open range `[4..n]` begins. */
interface Declared {
  readonly singles: readonly number[]
  readonly rangeFrom?: number
}

interface Header {
  readonly KEYS: Declared
  readonly ARGV: Declared
}

function parseHeader(name: string, source: string): Header {
  const [, text] = /^\s*--\[\[([\s\S]*?)\]\]\s*$/m.exec(source) ?? []
  const startsWithHeader = /^\s*--\[\[/.test(source)
  if (text === undefined || !startsWithHeader) throw new Error(`${name}.lua: starts with no --[[ header ]]`)
  const [, input] = /^\s*Input\s*$([\s\S]*)^\s*Output\s*$[\s\S]*\S/m.exec(text) ?? []
  if (input === undefined)
    throw new Error(`${name}.lua: the header needs an Input and an Output, each on a line of its own`)
  return { KEYS: parseTable(name, 'KEYS', input), ARGV: parseTable(name, 'ARGV', input) }
}

function parseTable(name: string, table: 'KEYS' | 'ARGV', input: string): Declared {
  const singles: number[] = []
  let rangeFrom: number | undefined
  for (const [, first, range, meaning] of input.matchAll(lineOf[table])) {
    const index = Number(first)
    if (rangeFrom !== undefined || index !== singles.length + 1) {
      throw new Error(
        `${name}.lua: the header lists ${table}[${index}] where ${table}[${singles.length + 1}] or nothing is due`,
      )
    }
    if (!meaning?.trim()) throw new Error(`${name}.lua: the header does not say what ${table}[${index}] is`)
    if (range) rangeFrom = index
    else singles.push(index)
  }
  return rangeFrom === undefined ? { singles } : { singles, rangeFrom }
}

const lineOf = {
  KEYS: /^[ \t]*KEYS\[(\d+)(\.\.n)?\](.*)$/gm,
  ARGV: /^[ \t]*ARGV\[(\d+)(\.\.n)?\](.*)$/gm,
}

function checkNumber(name: string, keys: number | 'n', declared: Declared): void {
  if (
    keys === 'n'
      ? declared.rangeFrom !== undefined
      : declared.rangeFrom === undefined && declared.singles.length === keys
  ) {
    return
  }
  const range = declared.rangeFrom === undefined ? '' : ` and KEYS[${declared.rangeFrom}..n]`
  throw new Error(`${name}.lua: the file name says ${keys} KEYS, the header lists ${declared.singles.length}${range}`)
}

/** Literal indexes must agree exactly; a computed one (a loop) needs the open range, and the open range needs a use. */
function checkUse(name: string, table: 'KEYS' | 'ARGV', declared: Declared, body: string): void {
  const refuse = (what: string): never => {
    throw new Error(`${name}.lua: ${what}`)
  }
  const literals = new Set([...body.matchAll(literalOf[table])].map(([, index]) => Number(index)))
  const { singles, rangeFrom = Infinity } = declared
  for (const index of literals) {
    const isListed = singles.includes(index) || index >= rangeFrom
    if (!isListed) refuse(`the body uses ${table}[${index}], which the header does not list`)
  }
  for (const index of singles) {
    if (!literals.has(index)) refuse(`the header lists ${table}[${index}], which the body does not use`)
  }
  const usesComputed = computedOf[table].test(body)
  const usesRange = usesComputed || Math.max(...literals) >= rangeFrom
  if (usesComputed && rangeFrom === Infinity)
    refuse(`the body computes an index of ${table}; the header lists no range`)
  if (!usesRange && rangeFrom !== Infinity)
    refuse(`the header lists ${table}[${rangeFrom}..n], which the body does not use`)
}

const literalOf = { KEYS: /\bKEYS\[(\d+)\]/g, ARGV: /\bARGV\[(\d+)\]/g }
const computedOf = { KEYS: /\bKEYS\b(?!\[\d+\])/, ARGV: /\bARGV\b(?!\[\d+\])/ }

/** Matches one string or one comment; what stands in a string is never taken for a comment. */
const stringOrComment =
  /(?<text>"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\[(?<level>=*)\[[\s\S]*?\]\k<level>\])|--\[(?<depth>=*)\[[\s\S]*?\]\k<depth>\]|--[^\n]*/g

/** Removes comments, the space before them and empty lines. Strings with line breaks would lose empty lines: none has. */
export function stripComments(source: string): string {
  const code = source.replace(stringOrComment, (match, text: string | undefined) => (text === undefined ? ' ' : match))
  return code
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')
}
