import { Random } from '../random.ts'
import type { Key, Namespace, Tag } from './universe.ts'
import { counterKeys, keys, names, namesByPart, namespaces, plainKeys, tags } from './universe.ts'

/** How long a stored value lives: hours, so that nothing ends by time while a run goes on. `stale`: it never was fresh. */
export const lives = {
  short: { freshMs: 3_600_000, staleMs: 3_600_000 },
  long: { freshMs: 36_000_000, staleMs: 36_000_000 },
  endless: { freshMs: Number.POSITIVE_INFINITY, staleMs: Number.POSITIVE_INFINITY },
  stale: { freshMs: -60_000, staleMs: 7_200_000 },
} as const

export type Life = keyof typeof lives

/** What a key of Redis is overwritten with, be it by another program. */
export const garbageNames = ['text', 'empty', 'format', 'list', 'hash', 'letters', 'huge'] as const
export type Garbage = (typeof garbageNames)[number]

/**
 * Whether a reader believes its memory of tag stamps: `doubting` never, `believing` as long as it has heard of all moves.
 */
export type Mind = 'doubting' | 'believing'

/**
 * One step of a run, as plain data: what it does does not depend on what came before, so a part of a plan is a plan.
 * Loads and looks are named by numbers: they begin in one step and end in a later one.
 */
export type Step =
  | { readonly name: 'read'; readonly key: Key; readonly mind: Mind }
  | { readonly name: 'look'; readonly key: Key; readonly look: number }
  | { readonly name: 'judge'; readonly look: number; readonly mind: Mind }
  | { readonly name: 'discard'; readonly look: number }
  | {
      readonly name: 'load'
      readonly key: Key
      readonly load: number
      readonly refresh: boolean
      readonly waited: boolean
    }
  | { readonly name: 'commit'; readonly load: number; readonly tags: readonly Tag[]; readonly life: Life }
  | { readonly name: 'release'; readonly load: number; readonly ending: 'refused' | 'skipped' | 'failed' | 'late' }
  | { readonly name: 'renew' | 'abandon'; readonly load: number }
  | { readonly name: 'delete' | 'expire'; readonly key: Key }
  | { readonly name: 'set'; readonly key: Key; readonly tags: readonly Tag[]; readonly life: Life }
  | { readonly name: 'touch'; readonly key: Key; readonly life: Exclude<Life, 'stale'> }
  | { readonly name: 'increment'; readonly key: Key; readonly by: number; readonly life: Life }
  | { readonly name: 'invalidate-tag' | 'expire-tag'; readonly tag: Tag }
  | { readonly name: 'clear'; readonly namespace: Namespace }
  | { readonly name: 'inspect'; readonly key: Key }
  | { readonly name: 'hear' }
  | Fault

/** What happens to Redis alone. */
export type Fault =
  | { readonly name: 'evict' | 'lapse'; readonly of: string }
  | { readonly name: 'garble'; readonly of: string; readonly garbage: Garbage }
  | { readonly name: 'flush' }
  | { readonly name: 'forget-scripts' }

/** How often each step is taken. */
const weights: Readonly<Record<Step['name'], number>> = {
  read: 24,
  look: 5,
  judge: 5,
  discard: 1.5,
  load: 22,
  commit: 20,
  release: 2,
  renew: 1.5,
  abandon: 2,
  delete: 1.5,
  expire: 1.5,
  inspect: 3,
  set: 2.5,
  touch: 1.5,
  increment: 5,
  'invalidate-tag': 2.5,
  'expire-tag': 2,
  clear: 1,
  hear: 4,
  evict: 6,
  lapse: 0.5,
  garble: 1.5,
  flush: 0.1,
  'forget-scripts': 0.3,
}

/** What later steps come back to. */
interface Begun {
  readonly loads: number[]
  readonly looks: number[]
  /** The stamp that was moved last. */
  moved: string
}

/** Draws a plan. The same seed gives the same one. */
export function drawPlan(seed: number, length: number): Step[] {
  const random = new Random(seed)
  const begun: Begun = { loads: [], looks: [], moved: names.tagStamp(tags[0]) }
  return Array.from({ length }, (_, at) => drawStep(random, at, begun))
}

/** `at` is the number of a load or look that begins with this step. */
function drawStep(random: Random, at: number, begun: Begun): Step {
  const { loads, looks } = begun
  const name = random.weighted(weights)
  const key = random.pick(keys)
  switch (name) {
    case 'read':
      return { name, key, mind: random.pick(['doubting', 'believing']) }
    case 'look':
      looks.push(at)
      return { name, key, look: at }
    case 'judge': {
      const look = takeOne(random, looks)
      return look === undefined
        ? { name: 'inspect', key }
        : { name, look, mind: random.pick(['doubting', 'believing']) }
    }
    case 'discard': {
      const look = takeOne(random, looks)
      return look === undefined ? { name: 'inspect', key } : { name, look }
    }
    case 'load':
      loads.push(at)
      return { name, key, load: at, refresh: random.chance(0.8), waited: random.chance(0.5) }
    case 'commit': {
      const load = takeOne(random, loads)
      return load === undefined
        ? { name: 'inspect', key }
        : { name, load, tags: drawTags(random), life: drawLife(random) }
    }
    case 'release': {
      const ending = random.pick(['refused', 'skipped', 'failed', 'late'] as const)
      // Who is late goes on loading.
      const load = ending === 'late' ? loads.at(-1) : takeOne(random, loads)
      return load === undefined ? { name: 'inspect', key } : { name, load, ending }
    }
    case 'renew':
    case 'abandon':
      // Who is paused beyond its lease goes on believing: the load stays open, and may still come to commit.
      return loads.length === 0 ? { name: 'inspect', key } : { name, load: random.pick(loads) }
    case 'delete':
    case 'expire':
    case 'inspect':
      return { name, key }
    case 'set':
      return { name, key: random.pick(plainKeys), tags: drawTags(random), life: drawLife(random) }
    case 'touch':
      return { name, key, life: random.pick(['short', 'long', 'endless']) }
    case 'increment': {
      const counter = random.chance(0.9) ? random.pick(counterKeys) : key
      return { name, key: counter, by: random.between(-3, 9), life: drawLife(random) }
    }
    case 'invalidate-tag':
    case 'expire-tag': {
      const tag = random.pick(tags)
      begun.moved = names.tagStamp(tag)
      return { name, tag }
    }
    case 'clear': {
      const namespace = random.pick(namespaces)
      begun.moved = names.clearStamp(namespace)
      return { name, namespace }
    }
    case 'evict':
    case 'lapse':
      return { name, of: drawName(random, begun) }
    case 'garble':
      return { name, of: drawName(random, begun), garbage: random.pick(garbageNames) }
    case 'hear':
    case 'flush':
    case 'forget-scripts':
      return { name }
  }
}

/** Mostly the newest: most loads are quick, and it is the slow ones that meet invalidations. */
function takeOne(random: Random, open: number[]): number | undefined {
  if (open.length === 0) return undefined
  const index = random.chance(0.6) ? open.length - 1 : random.between(0, open.length - 1)
  return open.splice(index, 1)[0]
}

function drawTags(random: Random): readonly Tag[] {
  return tags.filter(() => random.chance(0.35))
}

function drawLife(random: Random): Life {
  return random.weighted({ short: 5, long: 3, endless: 2, stale: 1 })
}

/** Any key of Redis; often the stamp that was moved last, whose absence must not hide the move. */
function drawName(random: Random, { moved }: Begun): string {
  const part = random.weighted({ moved: 3, entry: 2, lease: 2, stamp: 2, chain: 1.5 })
  return part === 'moved' ? moved : random.pick(namesByPart[part])
}
