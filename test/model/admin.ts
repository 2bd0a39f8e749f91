import { createRequire } from 'node:module'
import type { Address, Command } from '../doubles/redis-deployment.ts'

interface AdminConnection {
  call(command: string, ...values: (string | number)[]): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}
type RedisConstructor = new (options: object) => AdminConnection
const { Redis } = createRequire(import.meta.url)('ioredis') as { Redis: RedisConstructor }

/** Sends commands to a server, past all proxies. What fails is no matter: the server may be under a fault. */
export async function admin(
  { host, port, password }: Address & { readonly password?: string },
  ...commands: readonly Command[]
): Promise<unknown[]> {
  const settings = { host, port, password, enableReadyCheck: false, commandTimeout: 3000 }
  const redis = new Redis({ ...settings, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    const replies: unknown[] = []
    for (const [command, ...values] of commands) {
      replies.push(await redis.call(command, ...values).catch((error: Error) => error))
    }
    return replies
  } finally {
    redis.disconnect()
  }
}
