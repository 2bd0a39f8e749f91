import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { inquiries, readMissingRight } from '../../src/redis/rights.ts'
import { testClients } from './clients.ts'

const { server, ioredis } = testClients()

test.each([
  ["NOPERM this user has no permissions to run the 'info' command or its subcommand", 'INFO', '+info'],
  ["NOPERM User keys has no permissions to run the 'script|load' command", 'SCRIPT', '+script|load'],
  ["NOPERM ACL failure in script: User shop has no permissions to run the 'hset' command", 'HSET', '+hset'],
  ['NOPERM this user has no permissions to access one of the keys used as arguments', 'MGET', '~shop:*'],
  ['NOPERM No permissions to access a key', 'MGET', '~shop:*'],
  ['NOPERM this user has no permissions to access one of the channels used as arguments', 'MGET', '&shop:*'],
  [
    "ERR The user executing the script can't access at least one of the keys mentioned in the command",
    'MGET',
    '~shop:*',
  ],
  ["ERR The user executing the script can't publish to the channel mentioned in the command", 'MGET', '&shop:*'],
])('the right that is missing, as Redis words it: %s', (reply, command, right) => {
  expect(readMissingRight(reply, 'MGET', 'shop')).toEqual({ command, right })
})

test('no right is missing where something else was refused', () => {
  expect(readMissingRight('WRONGTYPE Operation against a key', 'MGET', 'shop')).toBeUndefined()
})

test('a script is called by the command that runs it; which of its commands was refused is not said: all are named', () => {
  const reply = "ERR The user executing the script can't run this command or subcommand"
  const { command, right } = readMissingRight(reply, 'acquire-3', 'shop') as { command: string; right: string }
  expect(command).toBe('EVALSHA')
  expect(right.split(' ').sort()).toEqual(commandsOfScripts().map((each) => `+${each}`))
})

/** What the sources of our scripts call. The one that publishes is named by their caller. */
function commandsOfScripts(): string[] {
  const folder = join(import.meta.dirname, '../../src/redis/lua')
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.lua'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const called = texts.flatMap((text) => [...text.matchAll(/\w\('([A-Z]+)'/g)].map(([, name = '']) => name))
  if (texts.some((text) => text.includes('redis.call(command, '))) called.push('PUBLISH', 'SPUBLISH')
  return [...new Set(called.map((name) => name.toLowerCase()))].sort()
}

test.each([
  ['PUBLISH', 'spublish'],
  ['SPUBLISH', 'publish'],
] as const)(
  'each command of a script is inquired after (%s), but TIME, which is sent in any case',
  (publishes, other) => {
    const asked = inquiries('tc:r', publishes).map(([command]) => command.toLowerCase())
    expect([...asked, 'time', other].sort()).toEqual(commandsOfScripts())
  },
)

test('to inquire changes nothing and says nothing, and shows the one right that is missing', async () => {
  const admin = ioredis(server().url)
  const ear = ioredis(server().url)
  const heard: string[] = []
  ear.on('message', (_channel, text) => heard.push(text))
  await ear.subscribe('tc:{0}:c:0')
  const commands = inquiries('tc:r', 'PUBLISH')
  for (const missing of ['NONE', ...commands.map(([command]) => command)]) {
    const rights = commands.map(([command]) => `${command === missing ? '-' : '+'}${command}`)
    await admin.call('ACL', 'SETUSER', 'shop', 'reset', 'on', '>p', '~tc:*', '&tc:*', ...rights)
    const own = new Redis(server().url, { username: 'shop', password: 'p', enableReadyCheck: false })
    const answers = await Promise.all(
      commands.map(([command, ...values]) =>
        own.call(command, ...values).then(
          () => undefined,
          (error: Error) => readMissingRight(error.message, command, 'tc')?.right,
        ),
      ),
    )
    own.disconnect()
    const expected = missing === 'NONE' ? [] : [`+${missing.toLowerCase()}`]
    expect(answers.filter((right) => right !== undefined)).toEqual(expected)
  }
  await ear.ping()
  expect([await admin.dbsize(), heard]).toEqual([0, []])
})
