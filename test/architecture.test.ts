import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as rules from './architecture.ts'
import type { Rule, Tree } from './architecture.ts'

const src = rules.readTree(join(import.meta.dirname, '../src'))

/** Each wall of docs/architecture.md: its rule, and trees that it must refuse, with what it says of them. */
interface Wall {
  readonly name: string
  readonly rule: Rule
  readonly refuses: readonly (readonly [tree: Tree, ...messages: string[]])[]
  readonly allows?: readonly Tree[]
}

const walls: readonly Wall[] = [
  {
    name: 'wall 1: imports go down only',
    rule: rules.importsGoDown,
    refuses: [
      [
        { 'entry/key.ts': "import { Cache } from '../cache/cache.ts'", 'cache/cache.ts': '' },
        'entry/key.ts (floor 2) imports cache/cache.ts (floor 5)',
      ],
      [
        { 'errors.ts': "import type { Clock } from './clock.ts'", 'clock.ts': '' },
        'errors.ts (floor 0) imports clock.ts (floor 1)',
      ],
      [
        { 'tiers/tier.ts': "export type { Parts } from '../cache/parts.ts'", 'cache/parts.ts': '' },
        'tiers/tier.ts (floor 4) imports cache/parts.ts (floor 5)',
      ],
      [
        { 'tiers/tier.ts': "export * from '../cache/parts.ts'", 'cache/parts.ts': '' },
        'tiers/tier.ts (floor 4) imports cache/parts.ts (floor 5)',
      ],
      [
        { 'tiers/tier.ts': "export type P = import('../cache/parts.ts').Parts", 'cache/parts.ts': '' },
        'tiers/tier.ts (floor 4) imports cache/parts.ts (floor 5)',
      ],
      [
        { 'tiers/tier.ts': "export const p = () => import('../cache/parts.ts')", 'cache/parts.ts': '' },
        'tiers/tier.ts (floor 4) imports cache/parts.ts (floor 5)',
      ],
      [{ 'somewhere/x.ts': '' }, 'somewhere/x.ts stands on no floor'],
    ],
    allows: [
      { 'cache/cache.ts': "import './parts.ts'\nimport '../tiers/tier.ts'", 'cache/parts.ts': '', 'tiers/tier.ts': '' },
      { 'metrics/prometheus.ts': "import '../options.ts'", 'options.ts': '' },
      {
        'entry/key.ts': "// import '../cache/cache.ts'\nconst x = \"import '../cache/cache.ts'\"",
        'cache/cache.ts': '',
      },
    ],
  },
  {
    name: 'wall 1: no circle, not even of types',
    rule: rules.noCircle,
    refuses: [
      [
        {
          'tags/a.ts': "import './b.ts'",
          'tags/b.ts': "import type { A } from './c.ts'",
          'tags/c.ts': "export * from './a.ts'",
        },
        'tags/a.ts > tags/b.ts > tags/c.ts > tags/a.ts',
      ],
      [{ 'tags/a.ts': "import type { A } from './a.ts'" }, 'tags/a.ts > tags/a.ts'],
    ],
    allows: [{ 'tags/a.ts': "import './b.ts'\nimport './c.ts'", 'tags/b.ts': "import './c.ts'", 'tags/c.ts': '' }],
  },
  {
    name: 'floor 3: only redis-*.ts and create-cache.ts enter redis/',
    rule: rules.onlyRedisFilesEnterRedis,
    refuses: [
      [
        { 'tags/tag-index.ts': "import type { X } from '../redis/scripts.ts'", 'redis/scripts.ts': '' },
        'tags/tag-index.ts enters redis/scripts.ts',
      ],
      [{ 'index.ts': "export * from './redis/client.ts'", 'redis/client.ts': '' }, 'index.ts enters redis/client.ts'],
    ],
    allows: [
      { 'tags/redis-tag-index.ts': "import '../redis/scripts.ts'", 'redis/scripts.ts': '' },
      {
        'create-cache.ts': "import './redis/scripts.ts'",
        'redis/scripts.ts': "import './client.ts'",
        'redis/client.ts': '',
      },
    ],
  },
  {
    name: 'every import leads to a file, and names its ending',
    rule: rules.everyImportLeadsSomewhere,
    refuses: [
      [{ 'errors.ts': "import './events.js'", 'events.ts': '' }, 'errors.ts imports ./events.js, which is not there'],
    ],
  },
  {
    name: 'the order inside cache/',
    rule: rules.orderInside('cache'),
    refuses: [
      [
        { 'cache/lookup.ts': "import './read-through.ts'", 'cache/read-through.ts': '' },
        'cache/lookup.ts imports cache/read-through.ts, which stands above it',
      ],
      [{ 'cache/batch.ts': '' }, 'cache/batch.ts has no place in the order of cache/'],
    ],
    allows: [
      {
        'cache/read-through.ts': "import './lookup.ts'",
        'cache/lookup.ts': "import './parts.ts'",
        'cache/parts.ts': '',
      },
    ],
  },
  {
    name: 'the order inside http/',
    rule: rules.orderInside('http'),
    refuses: [
      [
        { 'http/vary.ts': "import type { V } from './reuse.ts'", 'http/reuse.ts': '' },
        'http/vary.ts imports http/reuse.ts, which stands above it',
      ],
    ],
    allows: [
      { 'http/http-cache.ts': "import './vary.ts'", 'http/vary.ts': "import './message.ts'", 'http/message.ts': '' },
    ],
  },
  {
    name: 'wall 2: the pillars never import each other',
    rule: rules.pillarsStandApart,
    refuses: [
      [
        { 'tags/tag-index.ts': "import type { Bus } from '../bus/bus.ts'", 'bus/bus.ts': '' },
        'tags/tag-index.ts imports bus/bus.ts',
      ],
    ],
  },
  {
    name: 'wall 2: cache/ imports ports, never a form',
    rule: rules.theBeamKnowsPortsOnly,
    refuses: [
      [
        { 'cache/cache.ts': "import '../tiers/memory-tier.ts'", 'tiers/memory-tier.ts': '' },
        'cache/cache.ts imports tiers/memory-tier.ts, which is no port',
      ],
    ],
    allows: [{ 'cache/cache.ts': "import '../tiers/tier.ts'", 'tiers/tier.ts': '' }],
  },
  {
    name: 'wall 3: only create-cache.ts puts parts together',
    rule: rules.oneFilePutsPartsTogether,
    refuses: [
      [
        { 'index.ts': "export * from './bus/memory-bus.ts'", 'bus/memory-bus.ts': '' },
        'index.ts imports bus/memory-bus.ts',
      ],
      [
        { 'tiers/tier.ts': "import './memory-tier.ts'", 'tiers/memory-tier.ts': '' },
        'tiers/tier.ts imports tiers/memory-tier.ts',
      ],
    ],
    allows: [
      {
        'create-cache.ts': "import './bus/redis-bus.ts'",
        'bus/redis-bus.ts': "import './redis-proof.ts'",
        'bus/redis-proof.ts': '',
      },
    ],
  },
  {
    name: 'wall 4: http/ imports neither Redis nor a framework',
    rule: rules.httpKnowsNoFrameworkAndNoRedis,
    refuses: [
      [{ 'http/message.ts': "import type { Request } from 'express'" }, 'http/message.ts imports express'],
      [
        { 'http/message.ts': "import '../redis/client.ts'", 'redis/client.ts': '' },
        'http/message.ts imports ../redis/client.ts',
      ],
    ],
    allows: [{ 'http/message.ts': "import { Buffer } from 'node:buffer'" }],
  },
  {
    name: 'wall 4: the rules of http/ are synchronous and import no clock',
    rule: rules.httpRulesAreSynchronousAndTimeless,
    refuses: [
      [{ 'http/reuse.ts': 'export async function mayReuse() {}' }, 'http/reuse.ts is asynchronous'],
      [{ 'http/reuse.ts': 'export const mayReuse = async () => {}' }, 'http/reuse.ts is asynchronous'],
      [
        { 'http/lifetime.ts': "import type { Clock } from '../clock.ts'", 'clock.ts': '' },
        'http/lifetime.ts imports the clock',
      ],
    ],
    allows: [{ 'http/http-cache.ts': "import '../clock.ts'\nexport async function serve() {}", 'clock.ts': '' }],
  },
  {
    name: 'wall 5: middleware/ is thin',
    rule: rules.middlewareIsThin,
    refuses: [
      [
        { 'middleware/express.ts': "import { Cache } from '../cache/cache.ts'", 'cache/cache.ts': '' },
        'middleware/express.ts imports ../cache/cache.ts',
      ],
      [
        { 'middleware/express.ts': "import '../tiers/tier.ts'", 'tiers/tier.ts': '' },
        'middleware/express.ts imports ../tiers/tier.ts',
      ],
      [
        { 'middleware/express.ts': "import './koa.ts'", 'middleware/koa.ts': '' },
        'middleware/express.ts imports ./koa.ts',
      ],
      [{ 'middleware/express.ts': "import 'koa'" }, 'middleware/express.ts imports koa'],
      [
        { 'middleware/express.ts': "import '../metrics/prometheus.ts'" },
        'middleware/express.ts imports ../metrics/prometheus.ts',
      ],
    ],
    allows: [
      {
        'middleware/express.ts': `import type { Request } from 'express'
          import type { IncomingMessage } from 'node:http'
          import type { Cache } from '../cache/cache.ts'
          import '../http/http-cache.ts'
          import '../clock.ts'
          import './node-response.ts'`,
      },
    ],
  },
  {
    name: 'wall 6: metrics/ only listens, and nobody knows it',
    rule: rules.metricsListen,
    refuses: [
      [
        { 'metrics/prometheus.ts': "import type { C } from '../clock.ts'", 'clock.ts': '' },
        'metrics/prometheus.ts imports clock.ts',
      ],
      [
        { 'index.ts': "export * from './metrics/prometheus.ts'", 'metrics/prometheus.ts': '' },
        'index.ts knows metrics/prometheus.ts',
      ],
    ],
    allows: [
      {
        'metrics/prometheus.ts': "import '../events.ts'\nimport '../counters/counters.ts'\nimport './instruments.ts'",
        'events.ts': '',
        'counters/counters.ts': '',
        'metrics/instruments.ts': '',
      },
    ],
  },
  {
    name: 'wall 7: one door per dependency',
    rule: rules.oneDoorPerDependency,
    refuses: [
      [{ 'tiers/redis-tier.ts': "import type { Redis } from 'ioredis'" }, 'tiers/redis-tier.ts imports ioredis'],
      [{ 'create-cache.ts': "const r = createRequire(import.meta.url)('ioredis')" }, 'create-cache.ts imports ioredis'],
      [
        { 'create-cache.ts': "const require = createRequire('/')\nrequire('ioredis')" },
        'create-cache.ts imports ioredis',
      ],
      [{ 'cache/cache.ts': "export const x = () => import('lru-cache')" }, 'cache/cache.ts imports lru-cache'],
      [{ 'entry/entry.ts': "import { pack } from 'msgpackr/pack'" }, 'entry/entry.ts imports msgpackr/pack'],
      [{ 'http/message.ts': "import 'left-pad'" }, 'http/message.ts imports left-pad'],
      [{ 'middleware/koa.ts': "import 'express'" }, 'middleware/koa.ts imports express'],
    ],
    allows: [
      {
        'redis/connection.ts':
          "import type { Redis } from 'ioredis'\nconst r = createRequire(import.meta.url)('ioredis')",
      },
      { 'middleware/express.ts': "import type { Request } from 'express'" },
      { 'errors.ts': "export const peer = { package: 'ioredis' } // import 'ioredis'" },
    ],
  },
  {
    name: 'wall 8: one door per global',
    rule: rules.oneDoorPerGlobal,
    refuses: [
      [{ 'cache/cache.ts': 'const now = Date.now()' }, 'cache/cache.ts uses Date.now, whose door is clock.ts'],
      [{ 'cache/cache.ts': 'const now = +new Date()' }, 'cache/cache.ts uses Date.now, whose door is clock.ts'],
      [
        { 'cache/cache.ts': 'const now = performance.now()' },
        'cache/cache.ts uses performance, whose door is clock.ts',
      ],
      [{ 'cache/cache.ts': 'setTimeout(f, 1)' }, 'cache/cache.ts uses setTimeout, whose door is clock.ts'],
      [
        { 'cache/cache.ts': 'const later = { wait: setInterval }' },
        'cache/cache.ts uses setInterval, whose door is clock.ts',
      ],
      [{ 'cache/cache.ts': 'globalThis.setTimeout(f, 1)' }, 'cache/cache.ts uses setTimeout, whose door is clock.ts'],
      [
        { 'cache/cache.ts': "import { setTimeout as s } from 'node:timers/promises'" },
        'cache/cache.ts uses node:timers, whose door is clock.ts',
      ],
      [
        { 'cache/cache.ts': 'const s = AbortSignal.timeout(5)' },
        'cache/cache.ts uses AbortSignal.timeout, whose door is clock.ts',
      ],
      [{ 'cache/cache.ts': 'console.log(1)' }, 'cache/cache.ts uses console, whose door is cli/print.ts'],
      [
        { 'cache/cache.ts': 'const e = process.env.HOME' },
        'cache/cache.ts uses process.env, whose door is cli/main.ts',
      ],
      [{ 'cache/cache.ts': "const e = process['env']" }, 'cache/cache.ts uses process.env, whose door is cli/main.ts'],
      [{ 'cache/cache.ts': 'const { argv } = process' }, 'cache/cache.ts uses process.argv, whose door is cli/main.ts'],
      [
        { 'cache/cache.ts': "import { env } from 'node:process'" },
        'cache/cache.ts uses process.env, whose door is cli/main.ts',
      ],
      [{ 'clock.ts': 'const r = Math.random()' }, 'clock.ts uses Math.random, whose door is nowhere'],
      [
        { 'entry/stamp.ts': "import { randomBytes } from 'node:crypto'" },
        'entry/stamp.ts uses crypto randomness, whose door is clock.ts',
      ],
      [
        { 'entry/stamp.ts': "import * as c from 'node:crypto'" },
        'entry/stamp.ts uses crypto randomness, whose door is clock.ts',
      ],
      [
        { 'entry/stamp.ts': 'const id = crypto.randomUUID()' },
        'entry/stamp.ts uses crypto randomness, whose door is clock.ts',
      ],
    ],
    allows: [
      {
        'clock.ts':
          "import { randomBytes } from 'node:crypto'\nDate.now(); performance.now(); setTimeout(f, 1); setInterval(f, 1)",
        'cli/print.ts': 'console.log(1)',
        'cli/main.ts': 'process.env; process.argv; process.on("exit", f)',
        'entry/key.ts': "import { createHash } from 'node:crypto'",
      },
      {
        'cache/cache.ts': `// Date.now() and console.log
          /** setTimeout */
          interface Clock { setTimeout(f: () => void, ms: number): void; console: string }
          type Timer = ReturnType<typeof setTimeout>
          const x = clock.setTimeout(f, 1)
          const y = { console: 'Date.now()', setInterval() {} }
          const z = new Date(0)
          process.on('exit', f)`,
      },
    ],
  },
  {
    name: 'wall 9: no drawer, and no index.ts but the one',
    rule: rules.noDrawer,
    refuses: [
      [{ 'entry/types.ts': '' }, 'entry/types.ts is named types'],
      [{ 'http/header-utils.ts': '' }, 'http/header-utils.ts is named utils'],
      [{ 'http/util.ts': '' }, 'http/util.ts is named util'],
      [{ 'tiers/base-tier.ts': '' }, 'tiers/base-tier.ts is named base'],
      [{ 'tiers/index.ts': '' }, 'tiers/index.ts is named index'],
    ],
    allows: [{ 'index.ts': '', 'tags/tag-index.ts': '', 'tags/redis-tag-index.ts': '' }],
  },
]

describe.each(walls.map((wall) => [wall.name, wall] as const))('%s', (_, { rule, refuses, allows = [] }) => {
  test('the source keeps it', () => {
    expect(rule(src)).toEqual([])
  })

  test.each(refuses.map(([tree, ...messages]) => ({ tree, messages })))('it refuses %j', ({ tree, messages }) => {
    expect(rule(tree)).toEqual(messages)
  })

  if (allows.length > 0) {
    test.each(allows.map((tree) => [tree]))('it allows %j', (tree) => {
      expect(rule(tree)).toEqual([])
    })
  }
})
