import type { RedisConnection } from './source.ts'

/** So many commands leave in one write at most: Redis carries out the first while the others are made. */
const TOGETHER_MOST = 8

/** The sockets on which writes of this tick are collected, and how many they are by now. */
const collecting = new WeakMap<object, number>()

/**
 * Sends a command in one write with others that are sent in this way until the end of the tick, whoever sends them: those
 * for the keys of a batch come from as many callers.
 */
export function inWriteOfTick<Asked>({ stream }: RedisConnection, send: () => Asked): Asked {
  if (!stream) return send()
  const before = collecting.get(stream)
  if (before === undefined) {
    stream.cork()
    process.nextTick(() => {
      collecting.delete(stream)
      stream.uncork()
    })
  }
  const together = (before ?? 0) + 1
  collecting.set(stream, together % TOGETHER_MOST)
  const asked = send()
  if (together === TOGETHER_MOST) {
    stream.uncork()
    stream.cork()
  }
  return asked
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
