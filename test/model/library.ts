import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const isSource = import.meta.filename.endsWith('.ts')
const root = join(import.meta.dirname, isSource ? '../..' : '../../..')

/** The compiled library. */
export const builtLibrary = join(root, 'dist')

/** Where copies of the library and histories of failed runs are put. */
export const modelFolder = join(root, 'build/model')

/** Compiled programs of the model, whether this file runs compiled beside them or as it is. */
export const programsFolder = isSource ? join(root, 'build/test/model') : import.meta.dirname

/**
 * A copy of a compiled library, so that a process that is started in the middle of a run does not get another build than
 * the others. The caller removes it.
 */
export async function copyLibrary(from: string, name: string): Promise<string> {
  const copy = join(modelFolder, `${name}-${process.pid}`)
  await mkdir(modelFolder, { recursive: true })
  await rm(copy, { recursive: true, force: true })
  await cp(from, copy, { recursive: true })
  return copy
}

/** Has a copy of the library use another line of ioredis. */
export async function useIoredis(ioredis: 'ioredis' | 'ioredis5', copy: string): Promise<void> {
  const file = join(copy, 'redis/connection.js')
  const text = await readFile(file, 'utf8')
  if (!text.includes("('ioredis')")) throw new Error(`${file} does not load ioredis`)
  await writeFile(file, text.replace("('ioredis')", `('${ioredis}')`))
}

export function removeLibrary(copy: string): Promise<void> {
  return rm(copy, { recursive: true, force: true })
}
