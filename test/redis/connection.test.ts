import { describe, expect, test } from 'vitest'
import { checkSource } from '../../src/redis/connection.ts'

const PASSWORD = 'hunter2-very-secret'

describe('what is no source', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['a number', 6379],
    ['an array', ['redis://localhost']],
    ['an empty text', ''],
    ['a host', 'localhost:6379'],
    ['another scheme', 'http://localhost'],
    ['another scheme with a password', `postgres://user:${PASSWORD}@localhost`],
    ['a URL with a blank', `redis://user:${PASSWORD} @localhost`],
    ['a URL with a port beyond all', `redis://user:${PASSWORD}@localhost:99999`],
    ['a URL without a host', 'redis://'],
    ['an url that is no URL', { url: `user:${PASSWORD}@localhost` }],
    ['an url that is no text', { url: 6379 }],
    ['a function', () => 'redis://localhost'],
  ])('%s', (_name, source) => {
    let message = ''
    try {
      checkSource(source)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
      message = String(error)
    }
    expect(message).toContain(
      "redis: expected a URL ('redis://host:6379', 'rediss://…'), options of ioredis, or an ioredis instance, got ",
    )
    expect(message).not.toContain(PASSWORD)
  })

  test.each([
    'redis://localhost',
    'rediss://localhost:6380/3',
    'redis://:p@localhost',
    'redis://user:p%40ss@[::1]:6379/0',
  ])('%s is one', (url) => {
    expect(() => checkSource(url)).not.toThrow()
    expect(() => checkSource({ url })).not.toThrow()
    expect(() => checkSource({})).not.toThrow()
  })
})
