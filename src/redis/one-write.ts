import type { RedisConnection } from './source.ts'

/** So many commands leave in the first write of a tick: Redis carries them out while others are made. */
const FIRST_TOGETHER = 8

/** The sockets on which writes of this tick are collected: how many they are by now, and with how many they leave. */
const collecting = new WeakMap<object, { together: number; most: number }>()

/**
 * Sends a command in one write with others that are sent in this way until the end of the tick, whoever sends them: those
 * for the keys of a batch come from as many callers. Where they are many they leave in a few writes, of twice as many each.
 */
export function inWriteOfTick<Asked>({ stream }: RedisConnection, send: () => Asked): Asked {
  if (!stream) return send()
  const collected = collecting.get(stream) ?? collect(stream)
  collected.together++
  const asked = send()
  if (collected.together >= collected.most) {
    stream.uncork()
    stream.cork()
    collected.together = 0
    collected.most *= 2
  }
  return asked
}

function collect(stream: NonNullable<RedisConnection['stream']>) {
  const collected = { together: 0, most: FIRST_TOGETHER }
  collecting.set(stream, collected)
  stream.cork()
  process.nextTick(() => {
    collecting.delete(stream)
    stream.uncork()
  })
  return collected
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
