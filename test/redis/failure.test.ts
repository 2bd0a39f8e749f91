import { expect, test } from 'vitest'
import { TierCacheError } from '../../src/errors.ts'
import { failureOf, redirectionOf, saysMemoryFull, saysOnTheMove, saysUnserved } from '../../src/redis/failure.ts'

/** As ioredis makes it of an error that the server answered with. */
const refusal = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })

test('a deadline of ours stays what it is, and is the fault of the server', () => {
  const error = new TierCacheError('ERR_REDIS_TIMEOUT', 'late')
  expect(failureOf('GET', error, 'tc')).toMatchObject({ error, isOfServer: true, isScriptMissing: false })
})

test.each([
  [
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    'the connection was lost before the answer',
  ],
  ['Connection is closed.', 'the connection was lost before the answer'],
  ['Command aborted due to connection close', 'the connection was lost before the answer'],
  [
    "Stream isn't writeable and enableOfflineQueue options is false",
    'the connection was lost before the command was sent',
  ],
  ['read ECONNRESET', 'read ECONNRESET'],
])('a lost connection is one, and is told without the settings of ioredis: %s', (message, told) => {
  const { error, isOfServer } = failureOf('HMGET', new Error(message), 'tc')
  expect([error.code, error.message, isOfServer]).toEqual(['ERR_REDIS_LOST', `HMGET failed: ${told}`, true])
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

/** As Redis before 7 words the error of a command that a script called: by call, and by pcall. */
const inScript = (reply: string) => [
  `ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:4: @user_script: 4: ${reply} `,
  `@user_script: 4: ${reply}`,
]

test.each([
  ["READONLY You can't write against a read only replica."],
  ['LOADING Redis is loading the dataset in memory'],
])('what a script was refused is read as if it had been a command: %s', (reply) => {
  for (const message of [reply, ...inScript(`-${reply}`)]) {
    const { error, isOfServer } = failureOf('set-n', refusal(message), 'tc')
    expect([error.message, isOfServer]).toEqual([`set-n failed: ${reply}`, true])
  }
})

test('memory that is full, as Redis says it of a command and in scripts', () => {
  const reply = "OOM command not allowed when used memory > 'maxmemory'."
  for (const message of [reply, ...inScript(`-${reply}`), `${reply} script: 2cdc, on @user_script:1.`]) {
    expect(saysMemoryFull(message)).toBe(true)
    expect(failureOf('set-n', refusal(message), 'tc')).toMatchObject({ isMemoryFull: true, isOfServer: false })
  }
  expect(saysMemoryFull('WRONGTYPE Operation against a key')).toBe(false)
})

test('a right that a script lacks is read before 7 too', () => {
  for (const message of inScript(
    "The user executing the script can't publish to the channel mentioned in the command",
  )) {
    expect(failureOf('set-n', refusal(message), 'shop').missingRight).toEqual({ command: 'EVALSHA', right: '&shop:*' })
  }
})

test.each([
  ['MOVED 3999 127.0.0.1:6381', { word: 'MOVED', address: '127.0.0.1:6381' }],
  ['ASK 3999 redis-2.shop.example:6381', { word: 'ASK', address: 'redis-2.shop.example:6381' }],
  ['MOVED 3999 ::1:6381', { word: 'MOVED', address: '::1:6381' }],
  // On the host that says so (cluster-preferred-endpoint-type unknown-endpoint).
  ['MOVED 3999 :6381', { word: 'MOVED', address: ':6381' }],
  ['TRYAGAIN Multiple keys request during rehashing of slot', undefined],
])('a redirection is read from what callers get of it: %s', (reply, redirection) => {
  const { error, isOfServer } = failureOf('MGET', refusal(reply), 'tc')
  expect([redirectionOf(error), isOfServer]).toEqual([redirection, false])
})

test('what a Cluster says of one slot is not held against the server', () => {
  const words = ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN The cluster is down', 'TRYAGAIN Multiple keys']
  const failures = words.map((reply) => failureOf('set-n', refusal(reply), 'tc'))
  expect(failures.map(({ isOfServer }) => isOfServer)).toEqual([false, false, false])
  expect(failures.map(({ error }) => saysUnserved(error))).toEqual([true, true, false])
  expect(failures.map(({ error }) => saysOnTheMove(error))).toEqual([false, false, true])
  expect(saysUnserved(refusal('CLUSTERDOWN The cluster is down'))).toBe(true)
  const ofScript = 'ERR Script attempted to execute a write command while the cluster is down and readonly'
  expect(saysUnserved(refusal(ofScript))).toBe(true)
})
