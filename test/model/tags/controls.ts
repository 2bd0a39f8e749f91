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

export const controls = {
  'no-stamp-compare': {
    lacks: 'a commit is taken though a stamp moved since its lease was granted',
    breaks: 'P3',
    alter: patched([{ script: 'commit-n', find: 'if n > n0 then', replace: 'if false then' }]),
  },
  'no-field-compare': {
    lacks: 'a commit makes an absent stamp anew though its group may have moved since the lease was granted',
    breaks: 'P3',
    alter: patched([{ script: 'commit-n', find: 'if not moved or not (moved <= n0) then', replace: 'if false then' }]),
  },
  'absent-chain-is-fine': {
    lacks: 'a commit is taken though the head of the chain is gone',
    breaks: 'P7',
    alter: patched([
      { script: 'commit-n', find: 'if not head_number(KEYS[3]) then', replace: 'if false then' },
      { script: 'commit-n', find: 'if not moved or not (moved <= n0) then', replace: 'if moved and moved > n0 then' },
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
        find: 'if n > n0 then',
        replace: "if tonumber(redis.call('HGET', KEYS[3], ARGV[index + 5]) or '0') > n0 then",
      },
    ]),
  },
  'no-nonce': {
    lacks: 'a stamp is a number alone, so that one that is made anew may equal the one that was evicted',
    breaks: 'P7',
    alter: patched([
      { script: 'invalidate-group-2', find: "n .. ':' .. ARGV[2])", replace: `n .. ':${NO_NONCE}')` },
      ...madeAs(`string.format('%.0f:${NO_NONCE}', n0)`),
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
    alter: patched([
      { script: 'acquire-3', find: "if string.match(held, '^%x+|%d+!*$') then", replace: 'if false then' },
    ]),
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
    alter: patched([{ script: 'invalidate-3', find: 'n = n + 1', replace: 'n = n - 1' }]),
  },
  'stamps-not-kept': {
    lacks: 'a stamp outlives what carries it',
    breaks: 'ttl',
    alter: patched([{ script: 'commit-n', find: 'elseif left < life then', replace: 'elseif false then' }]),
  },
  'foreign-types': {
    lacks: 'a key of another type is taken for an absent one',
    breaks: 'error',
    alter: patched([
      { script: 'acquire-3', find: "redis.pcall('GET', KEYS[2])", replace: "redis.call('GET', KEYS[2])" },
    ]),
  },
} as const satisfies Record<string, Control>

export type ControlName = keyof typeof controls
export const controlNames = Object.keys(controls) as ControlName[]

/** Stamps that do not exist yet are made as this. */
function madeAs(stamp: string): Patch[] {
  const created = "string.format('%.0f', n0) .. ':' .. ARGV[2]"
  const committed = "string.format('%.0f', n0) .. ':' .. ARGV[8]"
  return [
    { script: 'set-n', find: `local created = ${created}`, replace: `local created = ${stamp}` },
    { script: 'increment-n', find: `local created = ${created}`, replace: `local created = ${stamp}` },
    { script: 'commit-n', find: `stamps[#stamps + 1] = ${committed}`, replace: `stamps[#stamps + 1] = ${stamp}` },
    { script: 'commit-n', find: `put(key, ${committed}, life)`, replace: `put(key, ${stamp}, life)` },
  ]
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
  Object.assign(connection, { callBuffer })
}
