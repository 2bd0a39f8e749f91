import type { RedisConnection } from './source.ts'

/**
 * Sends some commands in one write. ioredis hands each to its socket as it comes, and a socket that is not corked makes a
 * system call of each; a pipeline of ioredis makes one, but outlives its answers until a full garbage collection.
 */
export function inOneWrite<Asked>({ stream }: RedisConnection, send: () => Asked): Asked {
  stream?.cork()
  try {
    return send()
  } finally {
    stream?.uncork()
  }
}
