import type { TracingChannel } from 'node:diagnostics_channel'
import { tracingChannel } from 'node:diagnostics_channel'

/**
 * What happens in a cache, call by call, for tools that trace: a `TracingChannel` of `node:diagnostics_channel` for each
 * verb (`tiercache:getOrSet`, …), for loaders (`tiercache:load`) and for commands to Redis (`tiercache:l2`). What nobody
 * subscribes to costs the look whether anybody does. See docs/reference/tracing.md.
 */

/** What subscribers of a verb are given: the same object at each event of one call. */
export interface CallTrace {
  readonly namespace: string
  /** What the call is about: a key, several, or tags. */
  readonly key?: string
  readonly keys?: readonly string[]
  readonly tags?: readonly string[]
  /** What the keys of a listing begin with. */
  readonly prefix?: string
  /** How it ended; there from `asyncStart` on (of `peek`: from `end` on). Not every verb has one. */
  outcome?: CallOutcome
  /** What answered a read: `loader` for a value that was loaded, by this caller or by another one whose load it joined. */
  tier?: 'l1' | 'l2' | 'loader'
  /** What the call answered; Node sets it. */
  result?: unknown
  /** What it rejected with; Node sets it. */
  error?: unknown
}

/**
 * - `hit`, `stale`, `miss`: what a read found in the cache; a `miss` of a call with a loader was loaded.
 * - `acknowledged`, `unacknowledged`, `refused`, `held`: what became of a change; `refused`, since a newer version is there; `held` by a transaction.
 */
export type CallOutcome = 'hit' | 'stale' | 'miss' | 'acknowledged' | 'unacknowledged' | 'refused' | 'held'

/** What subscribers of `tiercache:load` are given. What a loader does itself lies within, in async context as well. */
export interface LoadTrace {
  readonly namespace: string
  readonly key: string
  result?: unknown
  error?: unknown
}

/** What subscribers of `tiercache:l2` are given: one command, or one batch of reads. */
export interface CommandTrace {
  /** As the events have it: the name of a command, or of a script. Never its arguments. */
  readonly command: string
  /** What people call the server. Never its password. */
  readonly server: string
  result?: unknown
  error?: unknown
}

/** Versions of `@types/node` differ in the order of the two. */
type Channel<Trace extends object> = TracingChannel<Trace, Trace>

function channelOf<Trace extends object>(name: string): Channel<Trace> {
  return tracingChannel<Trace, Trace>(`tiercache:${name}`)
}

export const getOrSetCalls = channelOf<CallTrace>('getOrSet')
export const getCalls = channelOf<CallTrace>('get')
export const peekCalls = channelOf<CallTrace>('peek')

/**
 * Tells whether anybody subscribes to a channel. As its `hasSubscribers`, which on Node 20 takes a twentieth of a hit more: for
 * the verbs of the hit path.
 */
function lookAt({ start, end, asyncStart, asyncEnd, error }: Channel<CallTrace>): () => boolean {
  return () =>
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
}

export const isGetOrSetTraced = lookAt(getOrSetCalls)
export const isGetTraced = lookAt(getCalls)
export const isPeekTraced = lookAt(peekCalls)

export const loads = channelOf<LoadTrace>('load')
export const commands = channelOf<CommandTrace>('l2')

/** Runs what a channel tells of. */
export function traced<T, Trace extends object>(
  channel: Channel<Trace>,
  context: Trace,
  run: () => Promise<T>,
): Promise<T> {
  return channel.tracePromise(run, context)
}

/** The same of one call whose parts have each an outcome of their own. */
export function tracedEach<T, Trace extends object>(
  channel: Channel<Trace>,
  context: Trace,
  begin: () => Promise<T>[],
): Promise<T>[] {
  let outcomes: Promise<T>[] = []
  const all = traced(channel, context, () => {
    outcomes = begin()
    return Promise.all(outcomes)
  })
  // It is the failure of those who wait for their part.
  all.catch(() => {})
  return outcomes
}

const keysCalls = channelOf<CallTrace>('keys')

/** A listing, told from the first key that is asked for until its end, or until nobody takes more. */
export function tracedListing<T>(context: () => CallTrace, list: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  return keysCalls.hasSubscribers ? toldListing(context(), list) : list
}

async function* toldListing<T>(context: CallTrace, list: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  let end = () => {}
  let fail = (_error: unknown) => {}
  const listing = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  // It is the failure of who takes the keys.
  traced(keysCalls, context, () => listing).catch(() => {})
  try {
    yield* list
  } catch (error) {
    fail(error)
    throw error
  } finally {
    end()
  }
}

/** What calls of a verb are about, by their arguments, and how they ended, by their answer. */
interface VerbTrace {
  readonly subject: (...values: readonly unknown[]) => Pick<CallTrace, 'key' | 'keys' | 'tags'>
  readonly ending?: (result: never) => Pick<CallTrace, 'outcome' | 'tier'>
}

const ofKey = (key: unknown) => (typeof key === 'string' ? { key } : {})
const ofKeys = (keys: unknown) => (Array.isArray(keys) ? { keys: keys.filter((key) => typeof key === 'string') } : {})
const ofTags = (...tags: readonly unknown[]) => ({ tags: tags.filter((tag) => typeof tag === 'string') })
const ofNamespace = () => ({})

/** How a read ended, by what it found. */
export function foundAs(
  entry: { readonly tier: 'l1' | 'l2' | 'loader'; readonly freshness: 'fresh' | 'stale' } | undefined,
): { outcome: CallOutcome; tier?: 'l1' | 'l2' | 'loader' } {
  if (entry === undefined) return { outcome: 'miss' }
  const { tier, freshness } = entry
  return { tier, outcome: tier === 'loader' ? 'miss' : freshness === 'fresh' ? 'hit' : 'stale' }
}

const foundOrNot = (isThere: boolean): { outcome: CallOutcome } => ({ outcome: isThere ? 'hit' : 'miss' })
const timeLeft = (ttl: number | undefined): { outcome: CallOutcome } => foundOrNot(ttl !== undefined)

interface Changed {
  readonly acknowledged: boolean
  readonly refused?: string
  readonly held?: boolean
}

function changedAs({ acknowledged, refused, held }: Changed): { outcome: CallOutcome } {
  if (refused !== undefined) return { outcome: 'refused' }
  if (held) return { outcome: 'held' }
  return { outcome: acknowledged ? 'acknowledged' : 'unacknowledged' }
}

/** The verbs whose calls are told without their help. Those of the hit path tell for themselves. */
const verbs = {
  getOrSetEntry: { subject: ofKey, ending: foundAs },
  getEntry: { subject: ofKey, ending: foundAs },
  has: { subject: ofKey, ending: foundOrNot },
  ttl: { subject: ofKey, ending: timeLeft },
  getMany: { subject: ofKeys },
  getOrSetMany: { subject: ofKeys },
  set: { subject: ofKey, ending: changedAs },
  setMany: { subject: ofNamespace, ending: changedAs },
  delete: { subject: ofKey, ending: changedAs },
  deleteMany: { subject: ofKeys, ending: changedAs },
  expire: { subject: ofKey, ending: changedAs },
  touch: { subject: ofKey, ending: changedAs },
  increment: { subject: ofKey },
  invalidateTags: { subject: ofTags, ending: changedAs },
  expireTags: { subject: ofTags, ending: changedAs },
  clear: { subject: ofNamespace, ending: changedAs },
  transaction: { subject: ofNamespace },
} satisfies Readonly<Record<string, VerbTrace>>

type Verb = keyof typeof verbs

/** Of the verb, and of handles, which load many in their own way. */
export const getOrSetManyCalls = channelOf<CallTrace>('getOrSetMany' satisfies Verb)

/** Has calls of these verbs told, each on a channel of its name. */
export function traceVerbs(prototype: { readonly [Name in Verb]: (...values: never[]) => Promise<unknown> }): void {
  for (const [verb, { subject, ending }] of Object.entries<VerbTrace>(verbs)) {
    const channel = channelOf<CallTrace>(verb)
    const call = prototype[verb as Verb] as (...values: unknown[]) => Promise<unknown>
    const told = function (this: { readonly name: string }, ...values: unknown[]) {
      if (!channel.hasSubscribers) return call.apply(this, values)
      const context: CallTrace = { namespace: this.name, ...subject(...values) }
      const run = async () => {
        const result = await call.apply(this, values)
        Object.assign(context, ending?.(result as never))
        return result
      }
      return traced(channel, context, run)
    }
    Object.defineProperty(told, 'name', { value: verb })
    Object.defineProperty(told, 'length', { value: call.length })
    Object.defineProperty(prototype, verb, { value: told, writable: true, configurable: true })
  }
}
