import { expect, test } from 'vitest'
import { Events } from '../../src/events.ts'
import { Warnings } from '../../src/redis/warnings.ts'

function listening() {
  const events = new Events()
  const told: unknown[] = []
  events.on('warning', (event) => void told.push(event))
  return { warnings: new Warnings(events, 'tc'), told }
}

function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

const OUTAGE = { code: 'ERR_REDIS_UNAVAILABLE', message: 'it cannot be reached' } as const

test('tells each time, or once', () => {
  const { warnings, told } = listening()
  for (let time = 0; time < 2; time++) warnings.tell(OUTAGE)
  expect(told).toEqual([OUTAGE, OUTAGE])
  for (let time = 0; time < 2; time++) warnings.tellOnce({ code: 'ERR_SERVER_VERSION', message: 'a is Redis 5' })
  expect(told).toHaveLength(3)
})

test('what is told once is told of each server', () => {
  const { warnings, told } = listening()
  const info = { command: 'INFO', right: '+info' }
  for (const server of ['a:6379', 'b:6379', 'a:6379']) warnings.missingRight(server, info)
  expect(told).toEqual(
    ['a:6379', 'b:6379'].map((server) => ({
      code: 'ERR_MISSING_RIGHT',
      message: `${server} refuses INFO for want of a right: grant +info to this user (ACL SETUSER)`,
      detail: { command: 'INFO', right: '+info' },
    })),
  )
})

test('a missing right is told once, whatever was refused for want of it', () => {
  const { warnings, told } = listening()
  for (const command of ['MGET', 'EVALSHA']) warnings.missingRight('a:6379', { command, right: '~tc:*' })
  expect(told).toEqual([expect.objectContaining({ detail: { command: 'MGET', right: '~tc:*' } })])
})

test('where any of several rights may be missing, one of them that was told is enough, and no other', () => {
  const { warnings, told } = listening()
  const several = { command: 'EVALSHA', right: '+get +hset +set' }
  warnings.missingRight('a:6379', { command: 'HSET', right: '+hset' })
  warnings.missingRight('a:6379', several)
  expect(told).toHaveLength(1)
  for (let time = 0; time < 2; time++) warnings.missingRight('b:6379', several)
  warnings.missingRight('b:6379', { command: 'HSET', right: '+hset' })
  expect(told.slice(1)).toEqual([
    expect.objectContaining({ detail: several }),
    expect.objectContaining({ detail: { command: 'HSET', right: '+hset' } }),
  ])
})

test('memory that is full is told once of each server, with what to do', () => {
  const { warnings, told } = listening()
  for (const server of ['a:6379', 'a:6379']) warnings.memoryFull(server)
  expect(told).toEqual([
    expect.objectContaining({
      code: 'ERR_MEMORY_FULL',
      message: expect.stringMatching(/^a:6379 .*raise maxmemory, or set maxmemory-policy to volatile-lru/),
    }),
  ])
})

test('a refusal is a missing right, or else what the server said', () => {
  const { warnings, told } = listening()
  const message = "NOPERM No permissions to access a channel used as an argument to 'subscribe'"
  warnings.refused('a:6379', 'SUBSCRIBE', refusal(message))
  warnings.refused('a:6379', 'SUBSCRIBE', refusal('ERR not now, with args beginning with: secret'))
  expect(told).toEqual([
    expect.objectContaining({ code: 'ERR_MISSING_RIGHT', detail: { command: 'SUBSCRIBE', right: '&tc:*' } }),
    { code: 'ERR_REDIS_REPLY', message: 'a:6379 refuses SUBSCRIBE: ERR not now' },
  ])
  warnings.refused('a:6379', 'PING', refusal('LOADING Redis is loading the dataset in memory'))
  expect(told).toHaveLength(2)
})

test('once closed, nothing is told', () => {
  const { warnings, told } = listening()
  warnings.close()
  warnings.tell(OUTAGE)
  warnings.tellOnce(OUTAGE)
  warnings.missingRight('a:6379', { command: 'INFO', right: '+info' })
  expect(told).toEqual([])
})
