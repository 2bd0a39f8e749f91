import type { RedisConnection } from './source.ts'

/** The sockets on which writes of this tick are collected. */
const collecting = new WeakSet<object>()

/**
 * Sends a command in one write with all others that are sent in this way until the end of the tick, whoever sends them: those
 * for the keys of a batch come from as many callers.
 */
export function inWriteOfTick<Asked>({ stream }: RedisConnection, send: () => Asked): Asked {
  if (stream && !collecting.has(stream)) {
    collecting.add(stream)
    stream.cork()
    process.nextTick(() => {
      collecting.delete(stream)
      stream.uncork()
    })
  }
  return send()
}

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
