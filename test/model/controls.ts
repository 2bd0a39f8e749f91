import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FaultName } from './faults.ts'
import { copyLibrary } from './library.ts'
import type { ScenarioName } from './run-scenarios.ts'

/** A change of the compiled library, as text. What is replaced must be there exactly once. */
interface Patch {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/**
 * The library without one rule of the protocol. A checker that never failed proves nothing: each control must be caught,
 * at once by its scenario, and after a few seeds by runs with its faults.
 */
export interface Control {
  /** What is missing. */
  readonly lacks: string
  readonly patches: readonly Patch[]
  /** None where any run of a few seconds shows it. */
  readonly scenario?: ScenarioName
  /** What opens the hole soonest; none where chance does not open it within a few seeds. */
  readonly faults?: readonly FaultName[]
}

const LUA = 'redis/lua.generated.js'

export const controls = {
  'no-lease': {
    lacks: 'a lease is granted though somebody holds it',
    patches: [{ file: LUA, find: 'if token and left > 0 then', replace: 'if false then' }],
    faults: [],
  },
  'no-lease-fence': {
    lacks: 'a commit is taken whoever holds the lease',
    patches: [
      {
        file: LUA,
        find: `if token ~= ARGV[2] then
  return { 'refused', 'lease' }
end
local function refuse`,
        replace: `if token ~= ARGV[2] then
  n0 = head_number(KEYS[3]) or 0
  mark = ''
end
local function refuse`,
      },
    ],
    scenario: 'a key is deleted while it is loaded',
    faults: ['lag', 'freeze-process', 'block', 'evict'],
  },
  'no-stamp-fence': {
    lacks: 'a commit is taken whatever was cleared since its lease was granted',
    patches: [{ file: LUA, find: 'if carried.moved then', replace: 'if false then' }],
    scenario: 'a tag is invalidated while its value is loaded',
    faults: ['lag'],
  },
  'no-poison': {
    lacks: 'what was under way when its key became another one fills L1',
    patches: [{ file: 'cache/near.js', find: 'flight.poison ?? (marks.movedSince', replace: '(marks.movedSince' }],
    scenario: 'a read is overtaken by a deletion',
    faults: ['lag'],
  },
  'no-landing-compare': {
    lacks: 'a value fills L1 though one of its groups moved while it was under way',
    patches: [
      {
        file: 'cache/near.js',
        find: "flight.poison ?? (marks.movedSince(groups, flight.mark) ? 'moved' : undefined)",
        replace: 'flight.poison',
      },
    ],
    scenario: 'a read is overtaken by a clear',
    faults: ['lag'],
  },
  'no-start-over': {
    lacks: 'who joins a load after a group of its value has moved gets the old value',
    patches: [
      { file: 'cache/read-through.js', find: 'loaded.mark < joinedAt && hasMoved(parts, loaded)', replace: 'false' },
    ],
    scenario: 'a load is joined after its tag was invalidated',
    faults: ['lag'],
  },
  'no-gap': {
    lacks: 'missed notices are no reason to drop L1',
    patches: [
      {
        file: 'create-cache.js',
        find: 'gap: (reason, buckets) => dropUnheard(parts, reason, buckets)',
        replace: 'gap: () => { }',
      },
    ],
    scenario: 'a notice is lost',
    faults: ['hole', 'cut', 'client-kill'],
  },
  'no-bound': {
    lacks: 'L1 answers without a proof that it is current',
    patches: [
      {
        file: 'cache/near.js',
        find: '&& !servesUnproven(parts, near))',
        replace: '&& false)',
      },
    ],
    scenario: 'a process hears nothing',
    faults: ['hole', 'cut', 'freeze-process'],
  },
  'no-stamp-age': {
    lacks: 'an entry that a remembered stamp judges counts as current as of its own read',
    patches: [{ file: 'cache/lookup.js', find: 'Math.min(asOf, sentAt)', replace: 'sentAt' }],
    scenario: 'a remembered stamp judges an entry',
  },
  'no-load-age': {
    lacks: 'a load of any age is joined, though nobody knows what happened since it began',
    patches: [{ file: 'cache/read-through.js', find: 'if (isCoherent(parts, bucket))', replace: 'if (true)' }],
    scenario: 'an old load is joined',
  },
  'no-end-of-time': {
    lacks: 'an expired entry ends at an instant of the server, which another clock may not have reached',
    patches: [
      {
        file: LUA,
        find: "redis.call('SETRANGE', KEYS[1], 28, struct.pack('>d', 0))",
        replace:
          "redis.call('SETRANGE', KEYS[1], 28, struct.pack('>d', redis.call('TIME')[1] * 1000 + redis.call('TIME')[2] / 1000))",
      },
    ],
    scenario: 'a key is expired by a clock that is slow',
  },
  'no-local-fence': {
    lacks: 'L2 is believed about keys whose invalidation it has not acknowledged',
    patches: [{ file: 'cache/journal.js', find: 'if (this.size === 0)\n', replace: 'if (true)\n' }],
    scenario: 'a deletion is refused',
    faults: ['readonly', 'client-pause', 'hole'],
  },
  'no-journal': {
    lacks: 'an invalidation that was not acknowledged is not repeated',
    patches: [
      {
        file: 'cache/replay.js',
        find: 'if (isReplaying || isEnded || parts.journal.size === 0)',
        replace: 'if (true)',
      },
    ],
    scenario: 'a deletion is refused',
    faults: ['readonly', 'client-pause', 'hole'],
  },
  'no-repetition': {
    lacks: 'what a server had acknowledged and then lost is not invalidated again',
    patches: [{ file: 'cache/resync.js', find: "lost === 'everything' ? [everything] : lost", replace: '[]' }],
    scenario: 'acknowledged deletions are lost',
    faults: ['rollback', 'lag'],
  },
  'no-set-deadline': {
    lacks: 'a set that is delivered late is carried out',
    patches: [
      {
        file: LUA,
        find: "if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then\n  return { 'late' }",
        replace: 'if false then',
      },
    ],
    scenario: 'a set arrives late',
  },
  'no-journal-numbers': {
    lacks: 'the acknowledgement of an earlier call removes a later one from the journal',
    patches: [{ file: 'cache/journal.js', find: 'if (noted && noted.number <= number)', replace: 'if (noted)' }],
    scenario: 'a repetition is acknowledged late',
  },
  'no-run-id': {
    lacks: 'another server behind the same address is no reason to repeat invalidations',
    patches: [
      {
        file: 'redis/handshake.js',
        find: 'this.#run.isAnother(report)',
        replace: 'false',
      },
    ],
    scenario: 'a master is lost with a deletion that one process knows of',
  },
  'no-repetition-to-a-heir': {
    lacks: 'what the master before had acknowledged is not invalidated again',
    patches: [{ file: 'cache/resync.js', find: "lost === 'everything' ? [everything] : lost", replace: '[]' }],
    scenario: 'a master is succeeded without a deletion that one process knows of',
  },
  'no-place-of-subscriber': {
    lacks: 'notices are heard from any server, whichever the commands go to',
    patches: [
      {
        file: 'redis/subscription.js',
        find: 'return here !== undefined && this.#commands !== undefined && here !== this.#commands',
        replace: 'return false',
      },
    ],
    scenario: 'a subscriber stays with the old master',
  },
  'no-succession': {
    lacks: 'a bucket whose master died counts as moved with all that was acknowledged',
    patches: [
      { file: 'bus/redis-bus.js', find: "if (how === 'succeeded')", replace: 'if (false)' },
      { file: 'bus/redis-bus.js', find: "if (how === 'resharded')", replace: "if (how !== 'found')" },
    ],
    scenario: 'a master is succeeded without a deletion that one process knows of',
  },
  'no-gap-at-a-move': {
    lacks:
      'a bucket is heard at another server as if nothing could have happened in between, nor is that found out later',
    patches: [
      {
        file: 'bus/bucket-chain.js',
        find: "this.#gaps.found('another server holds this bucket')",
        replace: 'return',
      },
      { file: 'bus/bucket-chain.js', find: "if (found === 'gap')", replace: 'if (false)' },
    ],
    scenario: 'a slot moves and a deletion is not heard',
  },
} as const satisfies Record<string, Control>

export type ControlName = keyof typeof controls
export const controlNames = Object.keys(controls) as ControlName[]

export function controlOf(name: ControlName): Control {
  return controls[name]
}

/**
 * Copies a compiled library and takes one rule out of the copy, whose folder it answers. Rejects when the rule is not
 * where it is thought to be.
 */
export async function breakLibrary(name: ControlName, dist: string): Promise<string> {
  const copy = await copyLibrary(dist, name)
  for (const { file, find, replace } of controlOf(name).patches) {
    const text = await readFile(join(copy, file), 'utf8')
    const found = text.split(find).length - 1
    if (found !== 1) throw new Error(`control ${name}: expected its rule once in ${file}, found it ${found} times`)
    await writeFile(
      join(copy, file),
      text.replace(find, () => replace),
    )
  }
  await digestScripts(join(copy, LUA))
  return copy
}

/** Scripts are called by their digest: a script that was changed needs another one. */
async function digestScripts(file: string): Promise<void> {
  let text = await readFile(file, 'utf8')
  // A name of its own: what was imported once is not read again.
  const url = `${pathToFileURL(file).href}?${createHash('sha1').update(text).digest('hex')}`
  const { scripts } = (await import(url)) as { scripts: Record<string, { lua: string; sha1: string }> }
  for (const { lua, sha1 } of Object.values(scripts)) {
    text = text.replace(sha1, createHash('sha1').update(lua).digest('hex'))
  }
  await writeFile(file, text)
}
