import type { Redis } from 'ioredis'
import { scripts } from '../../../src/redis/lua.generated.ts'
import type { Rule } from './rule.ts'

type ScriptName = keyof typeof scripts

/** A change of a script's text. What is replaced must be there exactly once. */
interface Patch {
  readonly script: ScriptName
  readonly find: string
  readonly replace: string
}

/** The scripts without one rule. A model that never failed proves nothing: each control must be caught. */
export interface Control {
  /** What is missing. */
  readonly lacks: string
  /** The rule that some run must see broken. */
  readonly breaks: Rule
  /** Takes the rule out of what a connection sends, or of what it is answered. */
  readonly alter: (connection: Redis) => void
}

const NO_NONCE = '0000000000000000'

const MAY_HAVE_MOVED = 'if not n or n > n0 then'

export const controls = {
  'no-stamp-compare': {
    lacks: 'a commit is taken though a stamp moved since its lease was granted',
    breaks: 'P3',
    alter: patched([{ script: 'commit-n', find: MAY_HAVE_MOVED, replace: 'if not n then' }]),
  },
  'no-field-compare': {
    lacks: 'a commit makes an absent stamp anew though its group may have moved since the lease was granted',
    breaks: 'P3',
    alter: patched([{ script: 'commit-n', find: 'n = last_move(q, fields[index])', replace: 'n = n0' }]),
  },
  'absent-chain-is-fine': {
    lacks: 'a commit is taken though the head of the chain is gone',
    breaks: 'P7',
    alter: patched([
      { script: 'commit-n', find: 'if not head_number(KEYS[3]) then', replace: 'if false then' },
      { script: 'commit-n', find: MAY_HAVE_MOVED, replace: 'if n and n > n0 then' },
    ]),
  },
  'absent-stamp-holds': {
    lacks: 'a reader takes the absence of a stamp for no change',
    breaks: 'P7',
    alter: absenceIsNoChange,
  },
  'plain-counters': {
    lacks: 'a stamp is a counter of its own, which starts again where it was evicted',
    breaks: 'P7',
    alter: patched([
      {
        script: 'invalidate-group-2',
        find: "local left = read_stamp(KEYS[1]) and redis.call('PTTL', KEYS[1]) or -2",
        replace: `local before = tonumber(string.match(tostring(redis.pcall('GET', KEYS[1])), '^%d+') or '0')
local left = redis.call('PTTL', KEYS[1])`,
      },
      {
        script: 'invalidate-group-2',
        find: "n .. ':' .. ARGV[2])",
        replace: `string.format('%.0f:${NO_NONCE}', before + 1))`,
      },
      ...madeAs(`'1:${NO_NONCE}'`),
      {
        script: 'commit-n',
        find: MAY_HAVE_MOVED,
        replace: "if tonumber(redis.call('HGET', q, fields[index]) or '0') > n0 then",
      },
    ]),
  },
  'no-nonce': {
    lacks: 'a stamp is a number alone, so that one that is made anew may equal the one that was evicted',
    breaks: 'P7',
    alter: patched([
      { script: 'invalidate-group-2', find: "n .. ':' .. ARGV[2])", replace: `n .. ':${NO_NONCE}')` },
      ...madeAs(`string.format('%.0f:${NO_NONCE}', math.min(n or n0, n0))`),
    ]),
  },
  'no-lease-compare': {
    lacks: 'a commit is taken whoever holds the lease',
    breaks: 'P4',
    alter: patched([
      {
        script: 'commit-n',
        find: "if token ~= ARGV[2] then\n  return { 'refused', 'lease' }",
        replace: "if token ~= ARGV[2] then\n  n0 = head_number(KEYS[3]) or 0\n  mark = ''",
      },
    ]),
  },
  'two-holders': {
    lacks: 'a lease is granted though somebody holds it',
    breaks: 'P4',
    alter: patched([{ script: 'acquire-3', find: 'if token and left > 0 then', replace: 'if false then' }]),
  },
  'delete-leaves-lease': {
    lacks: 'a load that runs while its key is deleted may store',
    breaks: 'P4',
    alter: patched([
      { script: 'invalidate-3', find: "redis.call('DEL', KEYS[1], KEYS[2])", replace: "redis.call('DEL', KEYS[1])" },
    ]),
  },
  'no-soft-number': {
    lacks: 'an expired tag makes nothing stale',
    breaks: 'soft',
    alter: patched([{ script: 'expire-tag-2', find: "stamp .. ':' .. n)", replace: 'stamp)' }]),
  },
  'touch-makes-fresh': {
    lacks: 'what was expired stays stale when it is touched',
    breaks: 'soft',
    alter: patched([{ script: 'touch-n', find: 'if fresh == 0 then', replace: 'if false then' }]),
  },
  'counter-without-stamps': {
    lacks: 'a counter goes on though its namespace was cleared',
    breaks: 'sum',
    alter: patched([
      {
        script: 'increment-n',
        find: 'string.sub(bytes, at + 1, at + size) ~= above[index]',
        replace: 'false',
      },
    ]),
  },
  'number-goes-back': {
    lacks: "the chain's number grows",
    breaks: 'chain',
    alter: patched([{ script: 'invalidate-3', find: 'n = last + 1', replace: 'n = last - 1' }]),
  },
  'stamps-not-kept': {
    lacks: 'a stamp outlives what carries it',
    breaks: 'ttl',
    alter: patched([{ script: 'commit-n', find: 'or left < life)', replace: ')' }]),
  },
  'foreign-types': {
    lacks: 'a key of another type is taken for an absent one',
    breaks: 'error',
    alter: patched([
      { script: 'acquire-3', find: "if string.sub(reply.err, 1, 9) == 'WRONGTYPE' then", replace: 'if false then' },
    ]),
  },
} as const satisfies Record<string, Control>

export type ControlName = keyof typeof controls
export const controlNames = Object.keys(controls) as ControlName[]

/** Stamps that do not exist yet are made as this. */
function madeAs(stamp: string): Patch[] {
  const made = "stamp = string.format('%.0f', math.min(n or n0, n0)) .. ':' .. nonce"
  const replace = `stamp = ${stamp}`
  return (['set-n', 'increment-n', 'commit-n'] as const).map((script) => ({ script, find: made, replace }))
}

/** Sends the texts of patched scripts where their digests are asked for. */
function patched(patches: readonly Patch[]): Control['alter'] {
  return (connection) => {
    const texts = new Map<string, string>()
    for (const { script, find, replace } of patches) {
      const { lua, sha1 } = scripts[script]
      const text = texts.get(sha1) ?? lua
      const found = text.split(find).length - 1
      if (found !== 1) throw new Error(`expected the rule once in ${script}, found it ${found} times: ${find}`)
      texts.set(
        sha1,
        text.replace(find, () => replace),
      )
    }
    intercept(connection, (send, command, values) => {
      const text = command === 'EVALSHA' ? texts.get(String(values[0])) : undefined
      return text === undefined ? send(command, ...values) : send('EVAL', text, ...values.slice(1))
    })
  }
}

/** Answers the last stamp that was read where there is none. */
function absenceIsNoChange(connection: Redis): void {
  const last = new Map<string, unknown>()
  intercept(connection, async (send, command, values) => {
    const reply = await send(command, ...values)
    if (command !== 'MGET') return reply
    return (reply as unknown[]).map((bytes, index) => {
      const name = String(values[index])
      if (!/\}:[kt]:/.test(name)) return bytes
      if (bytes !== null) last.set(name, bytes)
      return bytes ?? last.get(name) ?? null
    })
  })
}

type Value = string | number | Buffer
type Send = (command: string, ...values: Value[]) => Promise<unknown>

function intercept(
  connection: Redis,
  instead: (send: Send, command: string, values: readonly Value[]) => Promise<unknown>,
): void {
  const send: Send = connection.callBuffer.bind(connection)
  const callBuffer: Send = (command, ...values) => instead(send, command, values)
  const mgetBuffer = (...keys: Value[]) => callBuffer('MGET', ...keys)
  Object.assign(connection, { callBuffer, mgetBuffer })
}
