import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The code blocks of a page, by their language; one in a list is indented. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  const fenced = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\``, 'gm')
  return [...text.matchAll(fenced)].map(([, indent, code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}

/** What a program made of it: one that does not end by itself has no status. */
interface Ran {
  readonly status: number | null
  readonly output: string
}

function run(command: string, ...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 30_000 })
  return { status, output: `${stdout}${stderr}` }
}

/** The TypeScript of a page as compiled programs, one for each block, in a folder below `build/`. */
export class PageExamples {
  readonly #folder: string
  readonly codes: readonly string[]

  /** `given`: what an example that imports nothing goes on from. */
  constructor(page: string, given = '') {
    this.#folder = join(root, 'build', `examples-of-${page.replaceAll(/\W/g, '-')}`)
    this.codes = blocks(page, 'ts').map((code) => (/^import /m.test(code) ? code : `${given}${code}`))
  }

  compile(): Ran {
    this.remove()
    mkdirSync(this.#folder, { recursive: true })
    for (const [index, code] of this.codes.entries()) writeFileSync(join(this.#folder, `example-${index}.ts`), code)
    const config = join(this.#folder, 'tsconfig.json')
    writeFileSync(
      config,
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { noEmit: false, rootDir: '.', outDir: 'out', types: ['node'] },
        include: ['*.ts'],
        exclude: [],
      }),
    )
    return run(join(root, 'node_modules/.bin/tsc'), '-p', config)
  }

  /** Runs one, after it was compiled. */
  run(index: number): Ran {
    return run(process.execPath, join(this.#folder, `out/example-${index}.js`))
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
