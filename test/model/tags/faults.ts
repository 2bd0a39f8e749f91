import type { Redis } from 'ioredis'
import type { Fault, Garbage } from './plan.ts'

/** Does to Redis what memory pressure, time and other programs do. Answers how it ended. */
export async function strike(admin: Redis, fault: Fault): Promise<string> {
  switch (fault.name) {
    case 'evict':
      return (await admin.del(fault.of)) === 1 ? 'there' : 'nothing'
    case 'lapse':
      return lapse(admin, fault.of)
    case 'garble':
      await garble(admin, fault.of, fault.garbage)
      return fault.garbage
    case 'flush':
      await admin.flushall()
      return ''
    case 'forget-scripts':
      await admin.call('SCRIPT', 'FLUSH')
      return ''
  }
}

/** Lets a key's time end, and waits until the server sees it so. */
async function lapse(admin: Redis, name: string): Promise<string> {
  if ((await admin.pexpire(name, 1)) === 0) return 'nothing'
  while ((await admin.exists(name)) === 1);
  return 'there'
}

/** Puts something foreign in a key's place: texts, other types, and a chain whose number is none. */
async function garble(admin: Redis, name: string, garbage: Garbage): Promise<unknown> {
  await admin.del(name)
  switch (garbage) {
    case 'text':
      return admin.set(name, 'garbage')
    case 'empty':
      return admin.set(name, '')
    case 'format':
      return admin.set(name, 'tc\u0002')
    case 'list':
      return admin.rpush(name, 'garbage')
    case 'hash':
      return admin.hset(name, { garbage: '1' })
    case 'letters':
      return admin.hset(name, { n: 'garbage', floor: 'garbage', tip: 'garbage' })
    case 'huge':
      return admin.hset(name, { n: '99999999999999999', floor: '0', tip: 'garbage' })
  }
}
