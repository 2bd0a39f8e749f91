import { describe, expect, test } from 'vitest'
import { TierCacheError } from '../../src/errors.ts'
import { failureOf } from '../../src/redis/failure.ts'

/** As ioredis makes it of an error that the server answered with. */
const refusal = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })
const rightOf = (message: string) => failureOf('GET', refusal(message), 'shop').missingRight

test('a deadline of ours stays what it is, and is the fault of the server', () => {
  const error = new TierCacheError('ERR_REDIS_TIMEOUT', 'late')
  expect(failureOf('GET', error, 'tc')).toMatchObject({ error, isOfServer: true, isScriptMissing: false })
})

test('a lost connection is one', () => {
  const { error, isOfServer } = failureOf('GET', new Error('Connection is closed.'), 'tc')
  expect([error.code, isOfServer]).toEqual(['ERR_REDIS_LOST', true])
})

test('a refusal is the fault of the command, unless the server says that it cannot serve', () => {
  expect(failureOf('GET', refusal('WRONGTYPE Operation against a key'), 'tc').isOfServer).toBe(false)
  expect(failureOf('GET', refusal('READONLY You cannot write'), 'tc').isOfServer).toBe(true)
  expect(failureOf('acquire-3', refusal('NOSCRIPT No matching script'), 'tc').isScriptMissing).toBe(true)
})

test('values of the application do not get into a message', () => {
  const { error } = failureOf('SET', refusal('ERR wrong, with args beginning with: secret'), 'tc')
  expect(error.message).toBe('SET failed: ERR wrong')
  expect(error.cause).toBeUndefined()
})

describe('the right that is missing, as Redis words it', () => {
  test.each([
    ["NOPERM this user has no permissions to run the 'info' command or its subcommand", '+info'],
    ["NOPERM User shop has no permissions to run the 'script|load' command", '+script|load'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', '~shop:*'],
    ['NOPERM this user has no permissions to access one of the channels used as arguments', '&shop:*'],
    ["ERR The user executing the script can't access at least one of the keys mentioned in the command", '~shop:*'],
    ["ERR The user executing the script can't publish to the channel mentioned in the command", '&shop:*'],
    ['WRONGTYPE Operation against a key', undefined],
  ])('%s', (message, expected) => {
    expect(rightOf(message)).toBe(expected)
  })

  test('a script does not say which of its commands was refused: all are named', () => {
    expect(rightOf("ERR The user executing the script can't run this command or subcommand")).toContain('+publish')
  })
})
