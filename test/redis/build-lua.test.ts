import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildScript, renderModule, stripComments } from '../../scripts/lua-source.ts'

const root = join(import.meta.dirname, '../..')

function header(keys: string[], argv: string[] = []): string {
  return [
    '--[[',
    '  Does something.',
    '',
    '  Input',
    ...[...keys, ...argv].map((line) => `    ${line}`),
    '',
    '  Output',
    '    0    done',
    ']]',
    '',
  ].join('\n')
}

describe('buildScript', () => {
  test('takes header and comments out, and tells keys and digest', () => {
    const source = `${header(['KEYS[1]  value  the entry'], ['ARGV[1]  the bytes'])}
-- sets it
redis.call('SET', KEYS[1], ARGV[1]) -- here
return 0
`
    const lua = "redis.call('SET', KEYS[1], ARGV[1])\nreturn 0"
    const sha1 = createHash('sha1').update(lua).digest('hex')
    expect(buildScript('value-set-1', source, {})).toEqual({ lua, keys: 1, sha1 })
  })

  test('puts an include in once, after what it includes itself', () => {
    const includes = {
      chain: '--- @include nonce\nlocal function chain(key)\n  return nonce(key)\nend\n',
      nonce: '-- a nonce\nlocal function nonce(key)\n  return key\nend\n',
    }
    const source = `${header(['KEYS[1]  q  the chain'])}--- @include chain\n--- @include nonce\nreturn chain(KEYS[1])\n`
    expect(buildScript('chain-move-1', source, includes).lua).toBe(
      'local function nonce(key)\n  return key\nend\nlocal function chain(key)\n  return nonce(key)\nend\nreturn chain(KEYS[1])',
    )
  })

  test('allows an open range, used by a loop', () => {
    const source = `${header(['KEYS[1]     v  the entry', 'KEYS[2..n]  t  stamps of tags'])}
for i = 2, #KEYS do redis.call('GET', KEYS[i]) end
return KEYS[1]
`
    expect(buildScript('set-n', source, {}).keys).toBe('n')
  })

  const one = ['KEYS[1]  v  the entry']
  const refused: [why: string, name: string, source: string, message: string][] = [
    ['a name without a number', 'release', `${header(one)}return KEYS[1]`, 'release.lua: a script is named'],
    ['no header', 'get-1', 'return KEYS[1]', 'get-1.lua: starts with no --[[ header ]]'],
    ['a header that comes late', 'get-1', `local x = 1\n${header(one)}return KEYS[1]`, 'starts with no --[[ header ]]'],
    [
      'a header without Output',
      'get-1',
      '--[[\n  Input\n    KEYS[1]  v\n]]\nreturn KEYS[1]',
      'needs an Input and an Output',
    ],
    [
      'fewer keys than the name says',
      'get-2',
      `${header(one)}return KEYS[1]`,
      'the file name says 2 KEYS, the header lists 1',
    ],
    [
      'a range under a fixed number',
      'get-1',
      `${header(['KEYS[1..n]  v  x'])}return KEYS[1]`,
      'the header lists 0 and KEYS[1..n]',
    ],
    ['no range under n', 'get-n', `${header(one)}return KEYS[1]`, 'the file name says n KEYS, the header lists 1'],
    [
      'a gap in the list',
      'get-2',
      `${header(['KEYS[1]  v  x', 'KEYS[3]  q  x'])}return KEYS[1]`,
      'lists KEYS[3] where KEYS[2]',
    ],
    ['a key that is not explained', 'get-1', `${header(['KEYS[1]'])}return KEYS[1]`, 'does not say what KEYS[1] is'],
    ['a key used and not listed', 'get-1', `${header(one)}return KEYS[1] .. KEYS[2]`, 'the body uses KEYS[2]'],
    [
      'a key listed and not used',
      'get-1',
      `${header(one)}return 0 -- KEYS[1]`,
      'the header lists KEYS[1], which the body does not use',
    ],
    ['an argument used and not listed', 'get-1', `${header(one)}return KEYS[1] .. ARGV[1]`, 'the body uses ARGV[1]'],
    [
      'an argument listed and not used',
      'get-1',
      `${header(one, ['ARGV[1]  x'])}return KEYS[1]`,
      'the header lists ARGV[1], which',
    ],
    [
      'a computed index without a range',
      'get-1',
      `${header(one)}return KEYS[1] .. ARGV[#ARGV]`,
      'computes an index of ARGV',
    ],
    [
      'a range that is not used',
      'get-n',
      `${header([...one, 'KEYS[2..n]  t  x'])}return KEYS[1]`,
      'lists KEYS[2..n], which the body does not use',
    ],
    [
      'an include that is not there',
      'get-1',
      `${header(one)}--- @include chain\nreturn KEYS[1]`,
      'there is no includes/chain.lua',
    ],
  ]
  test.each(refused)('refuses %s', (_, name, source, message) => {
    expect(() => buildScript(name, source, {})).toThrow(message)
  })

  test('refuses includes in a circle, and an include of two functions', () => {
    const source = `${header(one)}--- @include a\nreturn KEYS[1]`
    const a = 'local function a()\nend\n'
    expect(() =>
      buildScript('get-1', source, { a: `--- @include b\n${a}`, b: '--- @include a\nlocal function b()\nend\n' }),
    ).toThrow('a > b > a')
    expect(() => buildScript('get-1', source, { a: a + a })).toThrow(
      'includes/a.lua: holds a, a; it must hold the function a alone',
    )
  })
})

test('stripComments leaves strings alone', () => {
  const source = `local a = '-- no comment' --[[ one ]] local b = "it's --[[ none ]]" --[==[ two
]] still ]==]
local c = [[ -- text ]]`
  expect(stripComments(source)).toBe(
    `local a = '-- no comment'   local b = "it's --[[ none ]]"\nlocal c = [[ -- text ]]`,
  )
})

test('the module that is written evaluates to the scripts', async () => {
  const scripts = {
    'get-1': { lua: `return '\`\\0$${'{x}'}$'`, keys: 1, sha1: 'abc' },
    'set-n': { lua: 'return 1', keys: 'n', sha1: 'def' },
  } as const
  const code = renderModule(scripts).replace(' as const', '')
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  expect(module.scripts).toEqual(scripts)
})

describe('the command', () => {
  let folder: string
  const target = () => join(folder, 'src/redis/lua.generated.ts')
  const script = (body: string) =>
    writeFileSync(join(folder, 'src/redis/lua/get-1.lua'), `${header(['KEYS[1]  v  the entry'])}${body}\n`)
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(folder, 'build/scripts/build-lua.js'), ...args], { cwd: folder })

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tiercache-lua-'))
    for (const name of ['scripts', 'package.json', 'tsconfig.json', 'tsconfig.scripts.json']) {
      cpSync(join(root, name), join(folder, name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.scripts.json'], { cwd: folder })
    mkdirSync(join(folder, 'src/redis/lua/includes'), { recursive: true })
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('writes the module, and --check tells when it is out of date', async () => {
    script('return KEYS[1]')
    await expect(run('--check')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('is out of date') })
    await run()
    await run('--check')
    expect(readFileSync(target(), 'utf8')).toContain("'get-1'")
    script('return KEYS[1] .. 2')
    await expect(run('--check')).rejects.toMatchObject({ code: 1 })
  })

  test('a script that is refused leaves the module as it was', async () => {
    script('return KEYS[1]')
    await run()
    const before = readFileSync(target(), 'utf8')
    script('return KEYS[2]')
    await expect(run()).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('get-1.lua: the body uses KEYS[2]'),
    })
    expect(readFileSync(target(), 'utf8')).toBe(before)
  })
})
