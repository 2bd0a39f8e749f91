import { expect, test } from 'vitest'
import { fitnessOf } from '../../src/redis/fitness.ts'
import { readReport } from '../../src/redis/server-report.ts'

const report = { ...readReport(''), version: '7.2.4', evictionPolicy: undefined }

test.each([
  ['nothing', { version: undefined }],
  ['a version that we know', {}],
  ['a policy that spares leases', { evictionPolicy: 'allkeys-lru' }],
])('a server that says %s is fit', (_, said) => {
  expect(fitnessOf({ ...report, ...said }, 'a:6379')).toEqual({ word: 'fit' })
})

test('one that is too old is unfit, whatever else there is to say of it', () => {
  expect(fitnessOf({ ...report, version: '6.0.16', evictionPolicy: 'volatile-ttl' }, 'a:6379')).toEqual({
    word: 'unfit',
    warning: {
      code: 'ERR_SERVER_VERSION',
      message: 'a:6379 is Redis 6.0.16: expected 6.2 or later, or Valkey. It is not used: L1 and loaders go on',
      detail: { setting: 'version', found: '6.0.16', expected: '6.2 or later' },
    },
  })
})

test('one that evicts leases first is poor', () => {
  expect(fitnessOf({ ...report, evictionPolicy: 'volatile-ttl' }, 'a:6379')).toEqual({
    word: 'poor',
    warning: {
      code: 'ERR_EVICTION_POLICY',
      message: expect.stringContaining('a:6379 evicts by volatile-ttl'),
      detail: {
        setting: 'maxmemory-policy',
        found: 'volatile-ttl',
        expected: 'volatile-lru, allkeys-lru or noeviction',
      },
    },
  })
})
