import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { root } from './root.ts'

const packages = ['lru-cache', 'msgpackr', 'ioredis', 'express', 'prom-client', '@electric-sql/pglite', 'autocannon']

/** The versions of tiercache and of the packages that are measured with it or against it. */
export function packageVersions(): Record<string, string> {
  const read = (file: string) => (JSON.parse(readFileSync(new URL(file, root), 'utf8')) as { version: string }).version
  const found = packages.map((name) => [name, read(`node_modules/${name}/package.json`)] as const)
  return { tiercache: read('package.json'), ...Object.fromEntries(found) }
}

export async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const info = await redis.info('server')
    return /(?:valkey|redis)_version:(\S+)/.exec(info)?.[1] ?? 'unknown'
  } finally {
    redis.disconnect()
  }
}
