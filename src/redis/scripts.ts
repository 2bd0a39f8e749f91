import type { EntryNames } from '../entry/key.ts'
import { TierCacheError } from '../errors.ts'
import type { Bucket } from './bucket.ts'
import { scripts } from './lua.generated.ts'
import { inWriteOfTick } from './one-write.ts'
import type { Sender } from './guarded-connection.ts'

/** What a server is to know. */
export const scriptTexts: readonly string[] = Object.values(scripts).map(({ lua }) => lua)

type ScriptName = keyof typeof scripts
type Argument = string | number | Buffer

/**
 * Runs a script by its digest, and sends its text when the server does not know it (any more). The values are made when it
 * leaves: how a server publishes is known when it is connected.
 */
async function run(
  bucket: Bucket,
  name: ScriptName,
  keys: readonly string[],
  values: () => readonly Argument[],
): Promise<unknown> {
  const { lua, sha1 } = scripts[name]
  const sending =
    (command: string, script: string): Sender =>
    (redis) =>
      inWriteOfTick(redis, () => redis.callBuffer(command, script, keys.length, ...keys, ...values()))
  try {
    return await bucket.run(name, sending('EVALSHA', sha1))
  } catch (error) {
    if (!(error instanceof TierCacheError) || !error.message.includes('NOSCRIPT')) throw error
    return bucket.run(name, sending('EVAL', lua))
  }
}

/** Text of a reply's parts: every one is a bulk string or an integer. */
function words(reply: unknown): string[] {
  if (!Array.isArray(reply))
    throw new TierCacheError('ERR_REDIS_REPLY', 'a script answered in a form that it does not have')
  return reply.map((part: unknown) => (Buffer.isBuffer(part) ? part.toString() : String(part)))
}

/** Makes a key gone everywhere. See `lua/invalidate-3.lua`. */
export async function invalidate(bucket: Bucket, names: EntryNames, tip: string, body: string): Promise<void> {
  await run(bucket, 'invalidate-3', [names.entry, names.lease, names.chain], () => [bucket.channel, tip, body])
}

/** The stamps that an entry carries: their keys, and per stamp the field of the chain head that notes its last move. */
export interface StampNames {
  readonly stampKeys: readonly string[]
  readonly stampFields: readonly string[]
}

export interface SetCall extends StampNames {
  readonly names: EntryNames
  readonly tip: string
  readonly storedBody: string
  readonly failedBody: string
  readonly head: Buffer
  readonly tail: Buffer
  /** 0: no end. */
  readonly lifeMs: number
  /** In server time. */
  readonly deadlineMs: number
  readonly version: number | undefined
}

/**
 * - `stored`: the value is in L2.
 * - `late`: the command was delivered after its caller's deadline; nothing was done.
 * - `older`: an entry with a newer version is there, be it void or not; nothing was done.
 * - `failed`: Redis is out of memory; the old entry is gone.
 */
export type SetReply =
  | { readonly word: 'stored' | 'late' | 'older' }
  | { readonly word: 'failed'; readonly message: string }

/** Stores a given value. See `lua/set-n.lua`. */
export async function set(bucket: Bucket, call: SetCall): Promise<SetReply> {
  const { names, stampKeys, stampFields, tip, storedBody, failedBody, head, tail, lifeMs, deadlineMs } = call
  const reply = await run(bucket, 'set-n', [names.entry, names.lease, names.chain, ...stampKeys], () => [
    bucket.channel,
    tip,
    storedBody,
    failedBody,
    head,
    tail,
    lifeMs,
    Math.floor(deadlineMs),
    call.version ?? '',
    ...stampFields,
  ])
  const [word, , message] = words(reply)
  switch (word) {
    case 'stored':
    case 'late':
    case 'older':
      return { word }
    case 'failed':
      bucket.noRoom(message)
      return { word, message: message ?? 'no reason given' }
    default:
      throw unknownWord('set-n', word)
  }
}

/** The names that a change of one group touches. */
export interface GroupNames {
  readonly stamp: string
  readonly chain: string
}

export interface GroupCall {
  readonly tip: string
  readonly body: string
  readonly field: string
  /** How long a stamp lives at least that did not exist. */
  readonly lifeMs: number
}

/** Makes all entries of a group void. See `lua/invalidate-group-2.lua`. */
export async function invalidateGroup(
  bucket: Bucket,
  { stamp, chain }: GroupNames,
  { tip, body, field, lifeMs }: GroupCall,
): Promise<void> {
  await run(bucket, 'invalidate-group-2', [stamp, chain], () => [bucket.channel, tip, body, field, lifeMs])
}

/** Makes all entries of a tag stale. See `lua/expire-tag-2.lua`. */
export async function expireTag(
  bucket: Bucket,
  { stamp, chain }: GroupNames,
  { tip, body, field, lifeMs }: GroupCall,
): Promise<void> {
  await run(bucket, 'expire-tag-2', [stamp, chain], () => [bucket.channel, tip, body, field, lifeMs])
}

/** Makes the entry of a key stale. See `lua/expire-3.lua`. */
export async function expire(bucket: Bucket, names: EntryNames, tip: string, body: string): Promise<void> {
  await run(bucket, 'expire-3', [names.entry, names.lease, names.chain], () => [bucket.channel, tip, body])
}

/** Gives the entry of a key a new TTL; answers whether there was one. See `lua/touch-n.lua`. */
export async function touch(
  bucket: Bucket,
  names: EntryNames,
  stampKeys: readonly string[],
  { tip, body, ttlMs }: { readonly tip: string; readonly body: string; readonly ttlMs: number },
): Promise<boolean> {
  const reply = await run(bucket, 'touch-n', [names.entry, names.lease, names.chain, ...stampKeys], () => [
    bucket.channel,
    tip,
    body,
    ttlMs === Number.POSITIVE_INFINITY ? 'never' : ttlMs,
  ])
  return Number(reply) === 1
}

export interface IncrementCall extends StampNames {
  readonly names: EntryNames
  readonly tip: string
  readonly body: string
  readonly head: Buffer
  /** 0: no end. */
  readonly lifeMs: number
  /** In server time. */
  readonly deadlineMs: number
  readonly by: number
}

export type IncrementReply =
  | { readonly word: 'stored'; readonly value: number }
  | { readonly word: 'late' | 'wrong' | 'overflow' | 'failed' }

/** Adds to a counter. See `lua/increment-n.lua`. */
export async function increment(bucket: Bucket, call: IncrementCall): Promise<IncrementReply> {
  const { names, stampKeys, stampFields, tip, body, head, lifeMs, deadlineMs, by } = call
  const reply = await run(bucket, 'increment-n', [names.entry, names.lease, names.chain, ...stampKeys], () => [
    bucket.channel,
    tip,
    body,
    head,
    lifeMs,
    Math.floor(deadlineMs),
    by,
    ...stampFields,
  ])
  const [word, value] = words(reply)
  switch (word) {
    case 'stored':
      return { word, value: Number(value) }
    case 'failed':
      bucket.noRoom(value)
      return { word }
    case 'late':
    case 'wrong':
    case 'overflow':
      return { word }
    default:
      throw unknownWord('increment-n', word)
  }
}

export type AcquireReply =
  | { readonly word: 'granted'; readonly n0: string }
  | { readonly word: 'found' }
  | { readonly word: 'skip' }
  | { readonly word: 'full'; readonly message: string }
  | { readonly word: 'busy' | 'late'; readonly leftMs: number }
  | { readonly word: 'failed'; readonly code: string; readonly message: string }

/** Asks for the lease of a key. See `lua/acquire-3.lua`. */
export async function acquire(
  bucket: Bucket,
  names: EntryNames,
  call: {
    readonly token: string
    readonly leaseMs: number
    readonly seen: Buffer | string
    readonly hasWaited: boolean
    readonly renews?: boolean
  },
): Promise<AcquireReply> {
  const reply = await run(bucket, 'acquire-3', [names.entry, names.lease, names.chain], () => [
    call.token,
    call.leaseMs,
    call.seen,
    call.hasWaited ? '1' : '0',
    call.renews ? '1' : '0',
  ])
  const [word, first = '', second = ''] = words(reply)
  switch (word) {
    case 'granted':
      return { word, n0: first }
    case 'found':
    case 'skip':
      return { word }
    case 'full':
      bucket.noRoom(first)
      return { word, message: first }
    case 'busy':
    case 'late':
      return { word, leftMs: Number(first) }
    case 'failed':
      return { word, code: first, message: second }
    default:
      throw unknownWord('acquire-3', word)
  }
}

export interface CommitCall extends StampNames {
  readonly names: EntryNames
  readonly token: string
  readonly head: Buffer
  readonly tail: Buffer
  /** 0: no end. */
  readonly lifeMs: number
  readonly filledNotice: string
  readonly refusedNotice: string
  readonly nonce: string
}

export type CommitReply = { readonly word: 'stored' } | { readonly word: 'refused' | 'failed'; readonly reason: string }

/** Stores a loaded value under its lease. See `lua/commit-n.lua`. */
export async function commit(bucket: Bucket, call: CommitCall): Promise<CommitReply> {
  const { names, stampKeys, stampFields, token, head, tail, lifeMs, filledNotice, refusedNotice, nonce } = call
  const reply = await run(bucket, 'commit-n', [names.entry, names.lease, names.chain, ...stampKeys], () => [
    bucket.channel,
    token,
    head,
    tail,
    lifeMs,
    filledNotice,
    refusedNotice,
    nonce,
    ...stampFields,
  ])
  const [word, reason = ''] = words(reply)
  switch (word) {
    case 'stored':
      return { word }
    case 'failed':
      bucket.noRoom(reason)
      return { word, reason }
    case 'refused':
      return { word, reason }
    default:
      throw unknownWord('commit-n', word)
  }
}

/** Ends a load that stores nothing. See `lua/release-1.lua`. */
export async function release(
  bucket: Bucket,
  names: EntryNames,
  call: { readonly token: string; readonly notice: string; readonly mark: string; readonly markMs: number },
): Promise<void> {
  await run(bucket, 'release-1', [names.lease], () => [call.token, bucket.channel, call.notice, call.mark, call.markMs])
}

/** Makes a lease last longer; answers whether it is still the caller's. See `lua/renew-1.lua`. */
export async function renew(bucket: Bucket, names: EntryNames, token: string, leaseMs: number): Promise<boolean> {
  return Number(await run(bucket, 'renew-1', [names.lease], () => [token, leaseMs])) === 1
}

/** Removes an entry that is of no use, if it is still the same. See `lua/discard-1.lua`. */
export async function discard(bucket: Bucket, entry: string, seen: Buffer | string): Promise<void> {
  await run(bucket, 'discard-1', [entry], () => [seen])
}

function unknownWord(script: string, word: unknown): TierCacheError {
  return new TierCacheError('ERR_REDIS_REPLY', `${script} answered with a word that it does not have: ${String(word)}`)
}
