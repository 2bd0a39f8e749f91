import type { Redis } from 'ioredis'
import { systemClock } from '../../../src/clock.ts'
import { encode } from '../../../src/entry/codec.ts'
import { judge } from '../../../src/entry/freshness.ts'
import { namespaceGroup, tagGroup } from '../../../src/entry/key.ts'
import type { Ending, Lease } from '../../../src/stampede/lease.ts'
import type { Candidate, Found } from '../../../src/tiers/tier.ts'
import { strike } from './faults.ts'
import type { Life, Mind, Step } from './plan.ts'
import { lives } from './plan.ts'
import type { Rule } from './rule.ts'
import { Contradiction, expectWord } from './rule.ts'
import type { Fill, Load } from './specification.ts'
import { Specification } from './specification.ts'
import type { Parts } from './stage.ts'
import { LEASE_MS } from './stage.ts'
import type { Key } from './universe.ts'
import { addressOf, entryName, groupsAbove, leaseName, names, stampName } from './universe.ts'

type StepOf<Name extends Step['name']> = Extract<Step, { readonly name: Name }>

/** Far below every life, and far above what two clocks that are compared differ by. */
const CLOCKS_DIFFER_MS = 1000

/** For how long a value that comes late may be stored, after newcomers take over. */
const KEPT_MS = 3_600_000

const endings = {
  refused: { word: 'refused' },
  skipped: { word: 'skipped' },
  failed: { word: 'failed', code: 'E', message: 'm' },
  late: { word: 'late', code: 'E', message: 'm', keptMs: KEPT_MS },
} as const satisfies Record<StepOf<'release'>['ending'], Ending>

/** A read between its two round trips: the entry, then the stamps of its tags. */
interface Look {
  readonly key: Key
  readonly found: Found
  readonly fill: Fill | undefined
  readonly wasExpired: boolean
  readonly seen: string
}

interface OpenLoad {
  readonly load: Load
  readonly lease: Lease
}

/** Performs steps on Redis and tells the specification; throws a {@link Contradiction} where the two differ. */
export class Performance {
  readonly #admin: Redis
  readonly #parts: Parts
  readonly #specification = new Specification()
  readonly #loads = new Map<number, OpenLoad>()
  readonly #looks = new Map<number, Look>()
  #lastNumber = 0

  constructor(admin: Redis, parts: Parts) {
    this.#admin = admin
    this.#parts = parts
  }

  /** Answers how the step ended, by a word or none. */
  async step(step: Step): Promise<string> {
    const ended = await this.#perform(step)
    await this.#checkChain()
    return ended
  }

  async #perform(step: Step): Promise<string> {
    switch (step.name) {
      case 'read':
        return this.#judge(await this.#look(step.key), step.mind)
      case 'look':
        this.#looks.set(step.look, await this.#look(step.key))
        return ''
      case 'judge':
      case 'discard': {
        const look = this.#looks.get(step.look)
        if (!look) return 'nothing'
        return step.name === 'judge' ? this.#judge(look, step.mind) : this.#discard(look)
      }
      case 'load':
        return this.#load(step)
      case 'commit':
      case 'release':
      case 'renew':
      case 'abandon': {
        const open = this.#loads.get(step.load)
        return open ? this.#endLoad(step, open) : 'not granted'
      }
      case 'delete':
      case 'expire':
      case 'touch':
      case 'set':
      case 'increment':
        return this.#write(step)
      case 'invalidate-tag':
      case 'expire-tag':
      case 'clear':
        return this.#move(step)
      case 'hear':
        this.#parts.hear()
        return ''
      case 'inspect':
        return this.#inspect(step.key)
      default: {
        const was = await strike(this.#admin, step)
        this.#specification.struck(step)
        return was
      }
    }
  }

  // ── Reads ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #look(key: Key): Promise<Look> {
    const fill = this.#specification.fill(key)
    const found = await this.#parts.tier.get(addressOf(key))
    expectWord(this.#specification.found(key), found.word)
    if (found.word === 'entry' && fill) {
      const rule: Rule = fill.sum === undefined ? 'P3' : 'sum'
      const stored = JSON.stringify([fill.sum ?? { key, fill: fill.id }, fill.tags])
      const read = JSON.stringify([found.entry.value, found.entry.tags])
      expectWord({ words: [stored], rule, because: 'the last one stored' }, read)
    }
    return { key, found, fill, wasExpired: fill?.staleBy !== undefined, seen: this.#specification.seen(key) }
  }

  async #judge({ found, fill, wasExpired }: Look, mind: Mind): Promise<string> {
    if (found.word !== 'entry' || !fill) return found.word
    const { entry, tagStamps, n0 } = found
    const tags = this.#parts.tags[mind]
    const verdict = entry.tags.length === 0 ? 'holds' : (await tags.judge(0, entry.tags, tagStamps, n0)).verdict
    const served = verdict === 'holds' ? judge(entry, systemClock.now() + CLOCKS_DIFFER_MS) : verdict
    return expectWord(this.#specification.served(fill, wasExpired, mind), served)
  }

  async #discard({ key, found, seen }: Look): Promise<string> {
    if (found.word === 'missing') return 'nothing'
    const isSame = this.#specification.seen(key) === seen
    await this.#parts.tier.discard(addressOf(key), found.seen)
    if (isSame) this.#specification.discarded(key)
    return isSame ? 'removed' : 'left'
  }

  // ── Loads ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #load({ key, load: id, refresh, waited }: StepOf<'load'>): Promise<string> {
    const { found } = await this.#look(key)
    const seen = refresh && found.word !== 'missing' ? found.seen : undefined
    const acquired = await this.#parts.leases.acquire(addressOf(key), seen, waited)
    expectWord(this.#specification.acquire(key, refresh, waited), acquired.word)
    if (acquired.word !== 'granted') return acquired.word
    this.#loads.set(id, { load: this.#specification.granted(id, key), lease: acquired.lease })
    const number = String(await this.#admin.hget(names.chain, 'n'))
    expectWord({ words: [number], rule: 'chain', because: "the chain's number at the grant" }, acquired.lease.n0)
    return acquired.word
  }

  async #endLoad(step: StepOf<'commit' | 'release' | 'renew' | 'abandon'>, { load, lease }: OpenLoad): Promise<string> {
    const specification = this.#specification
    const isHolder = specification.holds(load)
    switch (step.name) {
      case 'commit': {
        const reply = await this.#parts.tier.commit(this.#valueOf(load.key, step.tags, step.life), lease)
        const word = reply.word === 'stored' ? reply.word : `${reply.word}: ${reply.reason}`
        expectWord(specification.commit(load, step.tags), word)
        specification.committed(load, word, step.tags, step.life)
        return word
      }
      case 'release':
        await this.#parts.leases.release(lease, endings[step.ending])
        specification.released(load, step.ending)
        if (!isHolder) return 'nothing'
        // What is left for a moment stays until the plan takes it away.
        await this.#admin.pexpire(leaseName(load.key), LEASE_MS + KEPT_MS)
        return step.ending
      case 'renew': {
        const isOnTime = isHolder && !specification.isLate(load)
        const because = isOnTime ? 'it holds the lease' : 'its lease is gone'
        const renewed = await this.#parts.leases.renew(lease)
        return expectWord({ words: [String(isOnTime)], rule: 'P4', because }, String(renewed))
      }
      case 'abandon':
        if (!isHolder) return 'nothing'
        if (!specification.isLate(load)) return this.#perform({ name: 'lapse', of: leaseName(load.key) })
        await this.#admin.pexpire(leaseName(load.key), KEPT_MS / 2)
        specification.freed(load)
        return 'free'
    }
  }

  // ── Writes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #write(step: StepOf<'delete' | 'expire' | 'touch' | 'set' | 'increment'>): Promise<string> {
    const { tier } = this.#parts
    const specification = this.#specification
    const address = addressOf(step.key)
    switch (step.name) {
      case 'delete':
        await tier.delete(address)
        specification.deleted(step.key)
        return ''
      case 'expire':
        await tier.expire(address)
        specification.expired(step.key)
        return ''
      case 'touch': {
        const fill = specification.fill(step.key)
        const touched = String(await tier.touch(address, fill?.tags ?? [], lives[step.life].freshMs))
        specification.touched(step.key)
        const because = fill ? 'it is there' : 'there is nothing'
        return expectWord({ words: [String(fill !== undefined)], rule: 'useful', because }, touched)
      }
      case 'set': {
        const word = await tier.set(this.#valueOf(step.key, step.tags, step.life))
        specification.set(step.key, step.tags, step.life)
        return expectWord({ words: ['stored'], rule: 'useful', because: 'nothing is in its way' }, word)
      }
      case 'increment': {
        const { key, by, life } = step
        const reply = await tier.increment(candidateOf(key, by, [], life), by)
        const word = reply.word === 'stored' ? `stored: ${reply.value}` : reply.word
        expectWord(specification.increment(key, by), word)
        if (reply.word !== 'stored') return reply.word
        specification.incremented(key, reply.value, life)
        return reply.value === by ? 'made' : 'added'
      }
    }
  }

  async #move(step: StepOf<'invalidate-tag' | 'expire-tag' | 'clear'>): Promise<string> {
    const { tags } = this.#parts
    switch (step.name) {
      case 'invalidate-tag':
        await tags.doubting.invalidate(step.tag)
        this.#parts.move(step.tag, 'void')
        this.#specification.invalidated(tagGroup(step.tag))
        return ''
      case 'expire-tag':
        await tags.doubting.expire(step.tag)
        this.#parts.move(step.tag, 'stale')
        this.#specification.softened(tagGroup(step.tag))
        return ''
      case 'clear':
        await tags.doubting.clear(step.namespace)
        this.#specification.invalidated(namespaceGroup(step.namespace))
        return ''
    }
  }

  /** A value that names the fill that it becomes if it is stored. */
  #valueOf(key: Key, tags: readonly string[], life: Life): Candidate {
    return candidateOf(key, { key, fill: this.#specification.nextFill }, tags, life)
  }

  // ── What must always hold ───────────────────────────────────────────────────────────────────────────────────────────

  /** A stamp ends no sooner than an entry that carries it. */
  async #inspect(key: Key): Promise<string> {
    const fill = this.#specification.fill(key)
    if (!fill || this.#specification.isVoid(key)) return 'nothing'
    const entryEnd = await this.#leftOf(entryName(key))
    for (const group of [...groupsAbove(key), ...fill.tags.map(tagGroup)]) {
      const end = await this.#leftOf(stampName(group))
      if (end + CLOCKS_DIFFER_MS >= entryEnd) continue
      throw new Contradiction('ttl', `the stamp of ${group} ends in ${end} ms, an entry that carries it in ${entryEnd}`)
    }
    return 'outlived'
  }

  async #leftOf(name: string): Promise<number> {
    const ms = await this.#admin.pttl(name)
    return ms === -1 ? Number.POSITIVE_INFINITY : ms
  }

  /** The chain's number is one, and does not go back while the chain is there. */
  async #checkChain(): Promise<void> {
    if (!this.#specification.hasChain) {
      this.#lastNumber = 0
      return
    }
    const text = await this.#admin.hget(names.chain, 'n')
    const number = Number(text ?? Number.NaN)
    if (!(number >= this.#lastNumber)) throw new Contradiction('chain', `n is ${text} after ${this.#lastNumber}`)
    this.#lastNumber = number
  }
}

function candidateOf(key: Key, value: unknown, tags: readonly string[], life: Life): Candidate {
  const now = systemClock.now()
  const { freshMs, staleMs } = lives[life]
  return {
    address: addressOf(key),
    ...encode(value),
    createdAt: now,
    freshUntil: now + freshMs,
    staleUntil: now + freshMs + staleMs,
    tags,
    loadMs: 0,
  }
}
