import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const subpaths = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'object' ? [[path, target] as const] : [],
)
const peers = Object.keys(manifest.peerDependencies)

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

const run = async (cwd: string, file: string, ...args: string[]) =>
  (await promisify(execFile)(file, args, { cwd })).stdout

let work: string
/** The files of the tarball. */
let packed: string[]

/** Packed from a build of its own, so that neither an old `dist/` nor a build beside this test is what is tested. */
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'tiercache-package-'))
  const stage = join(work, 'stage')
  mkdirSync(stage)
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'src', 'docs', 'test']) {
    if (existsSync(join(root, file))) cpSync(join(root, file), join(stage, file), { recursive: true })
  }
  // Type errors are the business of the type check: the compiler writes its output all the same.
  const tsc = join(root, 'node_modules/.bin/tsc')
  await run(root, tsc, '-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')).catch(() => {})
  const [tarball] = JSON.parse(
    await run(stage, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', work),
  )
  packed = tarball.files.map((file: { path: string }) => file.path)
  for (const project of ['bare', 'full']) await install(join(work, project), join(work, tarball.filename))
  for (const peer of peers) link(join(work, 'full'), peer)
})

afterAll(() => rmSync(work, { recursive: true, force: true }))

/** Installs the tarball into a project by hand: unpacked, with its dependencies linked, and no peer within reach. */
async function install(project: string, tarball: string): Promise<void> {
  const home = join(project, 'node_modules/tiercache')
  mkdirSync(home, { recursive: true })
  await run(project, 'tar', '-xzf', tarball, '-C', home, '--strip-components=1')
  for (const dependency of Object.keys(manifest.dependencies)) link(project, dependency)
}

function link(project: string, name: string): void {
  const path = join(project, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), path)
}

/** Evaluates an expression in a process of its own, in a project that has the package installed. */
async function evaluate(project: 'bare' | 'full', expression: string): Promise<unknown> {
  const code = `import { createRequire } from 'node:module'
    const require = createRequire(process.cwd() + '/')
    console.log(JSON.stringify(${expression}))`
  return JSON.parse(await run(join(work, project), process.execPath, '--input-type=module', '-e', code))
}

describe('the tarball', () => {
  test('holds the compiled library, its documentation and four papers, and nothing else', () => {
    const allowed = /^(dist\/.+\.(js|js\.map|d\.ts)|docs\/.+\.md|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
    expect(packed.filter((path) => !allowed.test(path))).toEqual([])
    expect(packed).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']))
  })

  test('holds what its README and its pages for users link to; programs and sources are in the repository only', () => {
    const pages = ['README.md', ...packed.filter((path) => /^docs\/(concepts|reference)\//.test(path))]
    const linked = pages.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, link = '']) =>
        posix.join(posix.dirname(page), link),
      ),
    )
    const own = linked.filter((path) => !/^(bench|examples|src|test)\//.test(path))
    expect(own).toEqual(
      expect.arrayContaining(['docs/concepts/coherence.md', 'docs/reference/events.md', 'docs/concurrency.md']),
    )
    expect(own.filter((path) => !packed.includes(path))).toEqual([])
  })

  test.each(subpaths)('%s: its code and its types are there', (_, target) => {
    expect(packed).toContain(target.default.replace('./', ''))
    expect(packed).toContain(target.types.replace('./', ''))
  })

  test.each(subpaths)('%s: its path is the one in src/', (subpath, target) => {
    const name = subpath === '.' ? 'index' : subpath.replace('./', '')
    expect(target).toEqual({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` })
    expect(existsSync(join(root, 'src', `${name}.ts`))).toBe(true)
  })

  test('every peer is optional', () => {
    expect(Object.keys(manifest.peerDependenciesMeta).sort()).toEqual([...peers].sort())
    expect(Object.values(manifest.peerDependenciesMeta).every(({ optional }) => optional)).toBe(true)
  })
})

describe('with no peer installed', () => {
  test('no peer is within reach', async () => {
    const found = `${JSON.stringify(peers)}.filter((name) => { try { return require.resolve(name) } catch { return false } })`
    expect(await evaluate('bare', found)).toEqual([])
  })

  test('the main module imports and requires', async () => {
    expect(await evaluate('bare', "Object.keys(await import('tiercache'))")).toContain('createCache')
    expect(await evaluate('bare', "Object.keys(require('tiercache'))")).toContain('createCache')
  })
})

describe('with all peers installed', () => {
  test.each(subpaths)('%s imports and requires, with the same names', async (subpath) => {
    const name = subpath.replace(/^\./, 'tiercache')
    const imported = await evaluate('full', `Object.keys(await import('${name}'))`)
    expect(imported).not.toEqual([])
    expect(await evaluate('full', `Object.keys(require('${name}'))`)).toEqual(imported)
  })

  test('package.json can be read', async () => {
    expect(await evaluate('full', "require('tiercache/package.json').name")).toBe('tiercache')
  })
})

/** A program that does not have ioredis must still compile against the types. */
test.each(subpaths)('%s: its types never lead to ioredis', (_, target) => {
  const seen = new Set<string>()
  const visit = (path: string): string[] => {
    if (seen.has(path)) return []
    seen.add(path)
    const specifiers = [...readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)].map(
      ([, each = '']) => each,
    )
    return specifiers.flatMap((each) =>
      each.startsWith('.') ? visit(join(dirname(path), each.replace(/\.[jt]s$/, '.d.ts'))) : [each],
    )
  }
  expect(visit(join(work, 'bare/node_modules/tiercache', target.types))).not.toContain('ioredis')
})
