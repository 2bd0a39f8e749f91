import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseSync } from 'oxc-parser'

/** A source tree: path below `src/` to text. */
export type Tree = Readonly<Record<string, string>>

/** A rule answers with one sentence per violation. */
export type Rule = (tree: Tree) => string[]

export function readTree(folder: string): Tree {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return Object.fromEntries(
    files.sort().map((file) => [file.replaceAll('\\', '/'), readFileSync(join(folder, file), 'utf8')]),
  )
}

// ── Floors ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rooms by floor. A room is a folder, or a file that stands alone at the top. */
const floors: readonly (readonly string[])[] = [
  ['counters', 'errors.ts'],
  ['events.ts', 'clock.ts', 'tracing.ts', 'development.ts'],
  ['entry', 'options.ts', 'metrics'],
  ['redis'],
  ['tiers', 'stampede', 'tags', 'bus'],
  ['cache'],
  ['http', 'sessions', 'collections', 'adapters', 'admin', 'testing', 'create-cache.ts'],
  ['index.ts', 'testing.ts', 'middleware', 'gateway', 'cli'],
]

const pillars = floors[4] ?? []

/** The order inside a room, from below. Files of one step may know each other, as long as there is no circle. */
const steps: Readonly<Record<string, readonly (readonly string[])[]>> = {
  cache: [
    ['codec-options', 'call-options', 'in-chunks', 'told-tags'],
    [
      'cache-options',
      'flights',
      'callers',
      'cold-streak',
      'journal',
      'incidents',
      'unstorable',
      'life',
      'time-limit',
      'renewals',
      'back-off',
      'acknowledgement',
    ],
    ['recent-invalidations', 'transaction'],
    ['parts'],
    ['namespace'],
    ['near', 'term'],
    ['validity'],
    [
      'as-it-is',
      'health',
      'inspection',
      'lookup',
      'far-standing',
      'write-through',
      'invalidation',
      'resync',
      'load-context',
      'load-request',
      'loader',
      'touch',
      'counter',
      'keys',
    ],
    ['batch-loader', 'set-many', 'delete-many'],
    ['gathering', 'many-arguments'],
    ['held-lease', 'servable', 'read-entry'],
    ['get-many'],
    ['made-entry'],
    ['fill'],
    ['seek-lease'],
    ['read-through', 'replay'],
    ['stale-while-revalidate'],
    ['soft-timeout'],
    ['renew-ahead'],
    ['get-or-load'],
    ['look'],
    ['get-or-load-many', 'seek'],
    ['inside-transaction'],
    ['reads', 'loads'],
    ['now-or-held', 'observable-cache', 'closing'],
    ['writable-cache'],
    ['handle'],
    ['handle-options', 'handle-owners', 'wrap'],
    ['cache'],
  ],
  http: [
    ['authority', 'held', 'query-parameters', 'status', 'weighted-list', 'wildcard'],
    ['negotiation'],
    ['key-options', 'coding-options', 'name-options', 'negative-ttl'],
    [
      'message',
      'cache-control',
      'options',
      'settings',
      'cache-status',
      'http-date',
      'hit-for-miss',
      'sightings',
      'structured-fields',
    ],
    ['no-vary-search'],
    ['percent-encoding'],
    ['deception', 'header-audit', 'origin-fields', 'purged-targets', 'response-tags', 'watched-headers'],
    [
      'targeted',
      'lifetime',
      'post-answer',
      'stale-rules',
      'storable',
      'vary',
      'request-key',
      'shown-key',
      'stored-response',
      'capture',
      'entity-tag',
      'exchange',
    ],
    ['reuse', 'conditional', 'unsafe-methods', 'groups', 'coding'],
    ['range', 'coded-forms', 'validation'],
    ['guard-warnings'],
    ['resource-tags', 'search-variances', 'keys'],
    ['tally', 'response-guards'],
    ['variants', 'followers', 'intake'],
    ['admission', 'answer', 'front', 'invalidating', 'passing', 'recorded', 'response-store', 'superseding'],
    ['confirming', 'falling-back', 'taking', 'visit', 'purging'],
    ['recording', 'serving', 'handing', 'plain-hits'],
    ['variant-rule'],
    ['late-variant'],
    ['leading'],
    ['filling', 'posting'],
    ['reading'],
    ['http-cache'],
  ],
}

const roomOf = (path: string) => path.split('/')[0] ?? path
const floorOf = (path: string) => floors.findIndex((rooms) => rooms.includes(roomOf(path)))
const nameOf = (path: string) => posix.basename(path, '.ts')

/** Wall 1: imports go down only. */
export const importsGoDown: Rule = (tree) => {
  const homeless = Object.keys(tree).filter((path) => floorOf(path) < 0)
  return [
    ...homeless.map((path) => `${path} stands on no floor`),
    ...inner(tree)
      .filter(({ from, to }) => !mayLookInto(from, to))
      .map(({ from, to }) => `${from} (floor ${floorOf(from)}) imports ${to} (floor ${floorOf(to)})`),
  ]
}

function mayLookInto(from: string, to: string): boolean {
  if (roomOf(from) === roomOf(to) || floorOf(from) > floorOf(to)) return true
  return roomOf(from) === 'metrics' && to === 'options.ts'
}

export const onlyRedisFilesEnterRedis: Rule = (tree) =>
  inner(tree)
    .filter(({ from, to }) => roomOf(to) === 'redis' && roomOf(from) !== 'redis')
    .filter(({ from }) => from !== 'create-cache.ts' && !nameOf(from).startsWith('redis-'))
    .map(({ from, to }) => `${from} enters ${to}`)

export const everyImportLeadsSomewhere: Rule = (tree) =>
  Object.keys(tree).flatMap((from) =>
    importsOf(tree, from)
      .filter(({ target }) => target !== undefined && !(target in tree))
      .map(({ specifier }) => `${from} imports ${specifier}, which is not there`),
  )

/** Wall 1: no circle, not even of types. */
export const noCircle: Rule = (tree) => {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, above: readonly string[]) => {
    const start = above.indexOf(path)
    if (start >= 0) circles.push([...above.slice(start), path].join(' > '))
    if (start >= 0 || done.has(path)) return
    for (const { target } of importsOf(tree, path))
      if (target !== undefined && target in tree) visit(target, [...above, path])
    done.add(path)
  }
  for (const path of Object.keys(tree)) visit(path, [])
  return circles
}

/** The order inside `cache/` and inside `http/`. A new file there takes its place in the table above. */
export const orderInside =
  (room: string): Rule =>
  (tree) => {
    const order = steps[room] ?? []
    const stepOf = (path: string) => order.findIndex((step) => step.includes(nameOf(path)))
    const homeless = Object.keys(tree).filter((path) => roomOf(path) === room && stepOf(path) < 0)
    return [
      ...homeless.map((path) => `${path} has no place in the order of ${room}/`),
      ...inner(tree)
        .filter(
          ({ from, to }) =>
            roomOf(from) === room && roomOf(to) === room && stepOf(from) >= 0 && stepOf(from) < stepOf(to),
        )
        .map(({ from, to }) => `${from} imports ${to}, which stands above it`),
    ]
  }

// ── Walls ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const isForm = (path: string) => /^(memory|redis)-/.test(nameOf(path))

/** Wall 2. */
export const pillarsStandApart: Rule = (tree) =>
  inner(tree)
    .filter(
      ({ from, to }) => roomOf(from) !== roomOf(to) && pillars.includes(roomOf(from)) && pillars.includes(roomOf(to)),
    )
    .map(({ from, to }) => `${from} imports ${to}`)

/** Wall 2. */
export const theBeamKnowsPortsOnly: Rule = (tree) =>
  inner(tree)
    .filter(({ from, to }) => roomOf(from) === 'cache' && isForm(to))
    .map(({ from, to }) => `${from} imports ${to}, which is no port`)

/** Wall 3: a form is known to the composition root, to the test kit, and to another form in its folder. */
export const oneFilePutsPartsTogether: Rule = (tree) =>
  inner(tree)
    .filter(({ to }) => isForm(to))
    .filter(
      ({ from, to }) =>
        !['create-cache.ts', 'testing.ts', 'testing'].includes(roomOf(from)) &&
        !(isForm(from) && roomOf(from) === roomOf(to)),
    )
    .map(({ from, to }) => `${from} imports ${to}`)

const httpRules = [
  'cache-control',
  'structured-fields',
  'request-key',
  'shown-key',
  'vary',
  'targeted',
  'lifetime',
  'stale-rules',
  'post-answer',
  'storable',
  'superseding',
  'reuse',
  'conditional',
  'validation',
  'range',
  'groups',
  'no-vary-search',
  'coding',
  'unsafe-methods',
  'cache-status',
  'header-audit',
  'origin-fields',
  'response-tags',
  'purged-targets',
  'deception',
]

/** Wall 4. */
export const httpKnowsNoFrameworkAndNoRedis: Rule = (tree) =>
  Object.keys(tree)
    .filter((path) => roomOf(path) === 'http')
    .flatMap((from) => importsOf(tree, from).map((each) => ({ from, ...each })))
    .filter(({ specifier, target }) => (target === undefined ? !isBuiltIn(specifier) : roomOf(target) === 'redis'))
    .map(({ from, specifier }) => `${from} imports ${specifier}`)

/** Wall 4: a rule is synchronous, and is told the instant. */
export const httpRulesAreSynchronousAndTimeless: Rule = (tree) =>
  Object.keys(tree)
    .filter((path) => roomOf(path) === 'http' && httpRules.includes(nameOf(path)))
    .flatMap((path) => {
      const { isAsync, imports } = factsOf(tree, path)
      const knowsClock = imports.some(({ specifier }) => resolve(path, specifier) === 'clock.ts')
      return [...(isAsync ? [`${path} is asynchronous`] : []), ...(knowsClock ? [`${path} imports the clock`] : [])]
    })

/** What the faces of several frameworks have in common. */
const sharedByFaces = [
  'node-request',
  'normalized-request',
  'node-response',
  'node-answer',
  'head-replay',
  'written-head',
  'written-chunk',
  'head-encoding',
  'cut-off',
  'held-head',
  'response-cache',
  'node-exchange',
  'detached',
  'trust-proxy',
  'query-content',
  'express-request',
  'header-reads',
].map((name) => `middleware/${name}.ts`)

/** Wall 5. */
export const middlewareIsThin: Rule = (tree) =>
  Object.keys(tree)
    .filter((path) => roomOf(path) === 'middleware')
    .flatMap((from) =>
      importsOf(tree, from)
        .filter((each) => !middlewareMayImport(from, each))
        .map(({ specifier }) => `${from} imports ${specifier}`),
    )

function middlewareMayImport(from: string, { specifier, target, typeOnly }: Import): boolean {
  if (target === undefined) return isBuiltIn(specifier) || packageOf(specifier) === nameOf(from)
  if (sharedByFaces.includes(target) || roomOf(target) === 'http') return true
  if (target === 'cache/cache.ts') return typeOnly
  return floorOf(target) <= 2 && roomOf(target) !== 'metrics'
}

/** Wall 6. */
export const metricsListen: Rule = (tree) => [
  ...inner(tree)
    .filter(({ from, to }) => roomOf(from) === 'metrics' && roomOf(to) !== 'metrics')
    .filter(({ to }) => roomOf(to) !== 'counters' && !['events.ts', 'errors.ts', 'options.ts'].includes(to))
    .map(({ from, to }) => `${from} imports ${to}`),
  ...inner(tree)
    .filter(({ from, to }) => roomOf(from) !== 'metrics' && roomOf(to) === 'metrics')
    .map(({ from, to }) => `${from} knows ${to}`),
]

const packageDoors: Readonly<Record<string, string>> = {
  ioredis: 'redis/connection.ts',
  'lru-cache': 'tiers/memory-tier.ts',
  msgpackr: 'entry/codec.ts',
  'prom-client': 'metrics/prometheus.ts',
}

/** Wall 7. A framework's door is the file of its name in `middleware/`, `sessions/` or `adapters/`. */
export const oneDoorPerDependency: Rule = (tree) =>
  Object.keys(tree).flatMap((from) =>
    importsOf(tree, from)
      .filter(({ specifier, target }) => target === undefined && !isBuiltIn(specifier))
      .filter(({ specifier }) => !isDoor(from, packageOf(specifier)))
      .map(({ specifier }) => `${from} imports ${specifier}`),
  )

function isDoor(path: string, name: string): boolean {
  const door = packageDoors[name]
  if (door) return door === path
  return (
    ['middleware', 'sessions', 'adapters'].includes(roomOf(path)) &&
    nameOf(path) === name.replace(/^@/, '').replace('/', '-')
  )
}

const globalDoors: Readonly<Record<string, string>> = {
  'Date.now': 'clock.ts',
  performance: 'clock.ts',
  setTimeout: 'clock.ts',
  setInterval: 'clock.ts',
  'process.hrtime': 'clock.ts',
  'AbortSignal.timeout': 'clock.ts',
  'node:timers': 'clock.ts',
  'node:perf_hooks': 'clock.ts',
  'crypto randomness': 'clock.ts',
  console: 'cli/print.ts',
  'process.env': 'cli/main.ts',
  'process.argv': 'cli/main.ts',
  'Math.random': 'nowhere',
}

/** Wall 8. Comments and types are no use of a global. */
export const oneDoorPerGlobal: Rule = (tree) =>
  Object.keys(tree).flatMap((path) =>
    [...factsOf(tree, path).globals]
      .filter((name) => globalDoors[name] !== path && !(path === 'development.ts' && name === 'process.env'))
      .map((name) => `${path} uses ${name}, whose door is ${globalDoors[name]}`),
  )

const forbiddenNames = ['types', 'utils', 'helpers', 'common', 'shared', 'misc', 'base', 'manager', 'service']

/** Wall 9: also as a part of a name (`cache-utils.ts`), and as a folder. */
export const noDrawer: Rule = (tree) =>
  Object.keys(tree).flatMap((path) => {
    const words = path.replace(/\.ts$/, '').split(/[/.-]/)
    const drawers = words.filter((word) => forbiddenNames.includes(word) || forbiddenNames.includes(`${word}s`))
    const strayIndex = nameOf(path) === 'index' && path !== 'index.ts' ? ['index'] : []
    return [...drawers, ...strayIndex].map((word) => `${path} is named ${word}`)
  })

// ── What a file says ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  /** The path in the tree, for a relative import. */
  readonly target: string | undefined
}

interface Facts {
  readonly imports: readonly Omit<Import, 'target'>[]
  readonly globals: ReadonlySet<string>
  readonly isAsync: boolean
}

const isBuiltIn = (specifier: string) => specifier.startsWith('node:')
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const resolve = (from: string, specifier: string) => posix.join(posix.dirname(from), specifier)

/** The imports of one file of the tree by another. */
function inner(tree: Tree): { readonly from: string; readonly to: string }[] {
  return Object.keys(tree).flatMap((from) =>
    importsOf(tree, from).flatMap(({ target }) =>
      target !== undefined && target in tree ? [{ from, to: target }] : [],
    ),
  )
}

function importsOf(tree: Tree, from: string): Import[] {
  return factsOf(tree, from).imports.map((each) => ({
    ...each,
    target: each.specifier.startsWith('.') ? resolve(from, each.specifier) : undefined,
  }))
}

const known = new Map<string, Facts>()

function factsOf(tree: Tree, path: string): Facts {
  const source = tree[path] ?? ''
  const facts = known.get(source) ?? readFacts(path, source)
  known.set(source, facts)
  return facts
}

/** A node of the syntax tree (ESTree with TypeScript), read without its exact type. */
interface Node {
  readonly type: string
  readonly [field: string]: unknown
}

type Visit = (node: Node, parent: Node, field: string) => void

function readFacts(path: string, source: string): Facts {
  const { program, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const imports: Omit<Import, 'target'>[] = []
  const globals = new Set<string>()
  let isAsync = false
  walk(program as unknown as Node, (node, parent, field) => {
    const found = importIn(node)
    if (found) imports.push(found)
    for (const name of globalsIn(node, parent, field)) globals.add(name)
    isAsync ||=
      node.async === true || node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await === true)
  })
  return { imports, globals, isAsync }
}

function walk(node: Node, visit: Visit): void {
  for (const [field, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (!isNode(child)) continue
      visit(child, node, field)
      walk(child, visit)
    }
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'

/** `import`, `export from`, `import()`, `import('…').T` and `require()`, the last under whatever name that says so. */
function importIn(node: Node): Omit<Import, 'target'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return asImport(node.source, isTypeOnly(node))
    case 'ImportExpression':
      return asImport(node.source, false)
    case 'TSImportType':
      return asImport(node.source ?? node.argument, true)
    case 'TSExternalModuleReference':
      return asImport(node.expression, false)
    case 'CallExpression':
      return isRequire(node.callee) ? asImport((node.arguments as unknown[])[0], false) : undefined
    default:
      return undefined
  }
}

function asImport(source: unknown, typeOnly: boolean): Omit<Import, 'target'> | undefined {
  if (!isNode(source)) return undefined
  const literal = isNode(source.literal) ? source.literal : source
  return typeof literal.value === 'string' ? { specifier: literal.value, typeOnly } : undefined
}

function isTypeOnly(node: Node): boolean {
  if (node.importKind === 'type' || node.exportKind === 'type') return true
  const specifiers = (node.specifiers ?? []) as Node[]
  return specifiers.length > 0 && specifiers.every((each) => each.importKind === 'type' || each.exportKind === 'type')
}

function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false
  if (callee.type === 'CallExpression') return isNamed(callee.callee, 'createRequire')
  return (
    (callee.type === 'Identifier' && /^(?!createRequire$).*require/i.test(String(callee.name))) ||
    isNamed(callee.object, 'require')
  )
}

const isNamed = (node: unknown, name: string) => isNode(node) && node.type === 'Identifier' && node.name === name

const randomness = /^(random|getRandomValues|webcrypto|prng|pseudoRandomBytes|default$)/

/** The guarded globals that one node uses, with the modules that hand out the same things. */
function globalsIn(node: Node, parent: Node, field: string): string[] {
  if (node.type === 'ImportDeclaration') return guardedImports(node)
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const readsTime = isNamed(node.callee, 'Date') && (node.arguments as unknown[]).length === 0
    if (readsTime) return ['Date.now']
  }
  if (node.type !== 'Identifier' || !isReference(parent, field)) return []
  const name = String(node.name)
  if (['setTimeout', 'setInterval', 'console', 'performance'].includes(name)) return [name]
  return fieldsTaken(parent, field).flatMap((taken) => guardedField(name, taken))
}

function guardedField(object: string, taken: string): string[] {
  if (object === 'crypto' && randomness.test(taken)) return ['crypto randomness']
  if (object === 'globalThis')
    return [taken, ...Object.keys(globalDoors).filter((door) => door.startsWith(`${taken}.`))].filter(
      (name) => name in globalDoors,
    )
  const name = `${object}.${taken}`
  return name in globalDoors ? [name] : []
}

/** The fields that are read of an identifier: `process.env`, `process['env']`, `const { env } = process`. */
function fieldsTaken(parent: Node, field: string): string[] {
  if (parent.type === 'MemberExpression' && field === 'object') {
    const property = parent.property as Node
    return [String(property.name ?? property.value)]
  }
  const pattern = parent.type === 'VariableDeclarator' && field === 'init' ? parent.id : undefined
  if (!isNode(pattern) || pattern.type !== 'ObjectPattern') return []
  return (pattern.properties as Node[]).map((property) => (isNode(property.key) ? String(property.key.name) : ''))
}

function guardedImports(node: Node): string[] {
  if (isTypeOnly(node)) return []
  const specifier = String((node.source as Node).value)
  const names = ((node.specifiers ?? []) as Node[]).map((each) =>
    isNode(each.imported) ? String(each.imported.name) : 'default',
  )
  if (/^node:timers/.test(specifier)) return ['node:timers']
  if (specifier === 'node:perf_hooks') return ['node:perf_hooks']
  if (specifier === 'node:crypto') return names.some((name) => randomness.test(name)) ? ['crypto randomness'] : []
  if (specifier === 'node:console') return ['console']
  if (specifier !== 'node:process') return []
  return names.flatMap((name) => (name === 'default' ? ['process.env', 'process.argv'] : guardedField('process', name)))
}

/** Whether an identifier there stands for a variable, and not for the name of a field, a label or a type. */
function isReference(parent: Node, field: string): boolean {
  if (parent.type.startsWith('TS'))
    return ['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(parent.type)
  if (parent.type === 'MemberExpression') return field === 'object' || parent.computed === true
  if (field === 'key') return parent.computed === true
  return !['ImportSpecifier', 'ExportSpecifier', 'LabeledStatement'].includes(parent.type)
}
