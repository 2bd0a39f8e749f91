import { describe, expect, test } from 'vitest'
import { evictsLeases, isRecentEnough, readReport } from '../../src/redis/server-report.ts'

const info = [
  '# Server',
  'redis_version:7.0.15',
  'run_id:c8eb3ad91408defdf75cdb4e6546047902b5e480',
  '',
  '# Replication',
  'role:master',
  'cluster_enabled:0',
  'master_replid:8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb',
  '# Memory',
  'maxmemory:1048576',
  'maxmemory_policy:allkeys-lfu',
  'executable:/usr/bin/redis-server:odd',
].join('\r\n')

test('reads run, history, role, version and policy', () => {
  expect(readReport(info)).toEqual({
    runId: 'c8eb3ad91408defdf75cdb4e6546047902b5e480',
    history: '8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb',
    isReplica: false,
    isClusterNode: false,
    version: '7.0.15',
    evictionPolicy: 'allkeys-lfu',
  })
})

test('a replica says so', () => {
  expect(readReport(info.replace('role:master', 'role:slave')).isReplica).toBe(true)
})

test('a node of a Cluster says so', () => {
  expect(readReport(info.replace('cluster_enabled:0', 'cluster_enabled:1')).isClusterNode).toBe(true)
})

test('without a bound on memory there is nothing to evict', () => {
  expect(readReport(info.replace('1048576', '0')).evictionPolicy).toBeUndefined()
})

test.each(['', 'nonsense', ':', 'run_id:'])('a server that says %j says nothing', (text) => {
  expect(readReport(text)).toEqual({
    runId: undefined,
    history: undefined,
    isReplica: false,
    isClusterNode: false,
    version: undefined,
    evictionPolicy: undefined,
  })
})

describe('a version', () => {
  test.each([
    ['6.2.0', true],
    ['6.2.14', true],
    ['7.4.1', true],
    ['10.0', true],
    ['6.0.16', false],
    ['5.0.14', false],
    ['255.255.255', true],
    ['unstable', true],
    [undefined, true],
  ])('%s: %s', (version, expected) => {
    expect(isRecentEnough({ ...readReport(''), version })).toBe(expected)
  })
})

describe('a policy', () => {
  test.each([
    ['noeviction', false],
    ['allkeys-lru', false],
    ['volatile-lru', false],
    ['allkeys-lfu', true],
    ['volatile-lfu', true],
    ['allkeys-random', true],
    ['volatile-random', true],
    ['volatile-ttl', true],
    [undefined, false],
  ])('%s takes leases first: %s', (evictionPolicy, expected) => {
    expect(evictsLeases({ ...readReport(''), evictionPolicy })).toBe(expected)
  })
})
