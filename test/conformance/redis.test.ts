import { beforeEach, expect } from 'vitest'
import type { BusListener } from '../../src/bus/bus.ts'
import { RedisBus } from '../../src/bus/redis-bus.ts'
import { systemClock } from '../../src/clock.ts'
import { noticeBody, subjectKey, wakeUp } from '../../src/entry/notice.ts'
import { scripts } from '../../src/redis/lua.generated.ts'
import { RedisLeases } from '../../src/stampede/redis-lease.ts'
import type { RunningForm } from '../doubles/redis-forms.ts'
import { inConformingForms, namesIn } from '../doubles/redis-forms.ts'
import { openFar } from '../tiers/far.ts'
import type { Far } from '../tiers/far.ts'
import { busSuite } from './bus.suite.ts'
import { leaseSuite } from './lease.suite.ts'
import { tagIndexSuite } from './tag-index.suite.ts'
import { tierSuite } from './tier.suite.ts'

/** The suites of all ports, over their forms in Redis. */

const PREFIX = 'tc'
const LEASE_MS = 30_000
/** Being current is proven every fifth of it. */
const BOUND_MS = 500

inConformingForms((form, name) => {
  beforeEach(async () => {
    await form().flush()
    await form().admit(PREFIX)
  })
  const open = (origin: string) => openFar(form().source(), { origin, clusterBuckets: form().buckets })

  tierSuite(name, async () => {
    const far = await open('here')
    return {
      async set(address, stored, lifeMs) {
        const until = far.clock.now() + lifeMs
        const word = await far.tier.set(far.candidate(address, stored, { freshUntil: until, staleUntil: until }))
        if (word !== 'stored') throw new Error(word)
      },
      async get(address) {
        const found = await far.tier.get(address)
        return found.word === 'entry' ? found.entry.value : undefined
      },
      delete: (address) => far.tier.delete(address),
      endsByItself: true,
      close: far.close,
    }
  })

  tagIndexSuite(name, async () => {
    const [here, there] = await Promise.all([open('here'), open('there')])
    return {
      here: here.tags,
      there: there.tags,
      async store(namespace) {
        const address = { namespace, key: 'k' }
        await here.tier.set(here.candidate(address, 1))
        const { seen } = (await there.tier.get(address)) as { seen: Buffer }
        return async () => {
          const words = new Set<boolean>()
          for (const { tier } of [here, there]) {
            const found = await tier.get(address)
            words.add(found.word === 'entry' && seen.equals(found.seen as Buffer))
          }
          return !words.has(false)
        }
      },
      close() {
        here.close()
        there.close()
      },
    }
  })

  leaseSuite(name, async () => {
    const [here, there] = await Promise.all([open('here'), open('there')])
    const both = [here, there].map((far) => ({ far, leases: new RedisLeases(far.client, leasing(far), systemClock) }))
    const heard = await Promise.all(both.map(({ far, leases }) => hearing(form(), far, calling(leases))))
    const [ours, theirs] = both.map(({ leases }) => leases) as [RedisLeases, RedisLeases]
    return {
      here: ours,
      there: theirs,
      leaseMs: LEASE_MS,
      // A TTL of one millisecond; the key is gone for every command after that.
      async runOut(address) {
        const lease = form().names(PREFIX, address).lease(address)
        await form().admin.pexpire(lease, 1)
        await expect.poll(() => form().admin.exists(lease)).toBe(0)
      },
      elapse: () => {},
      close() {
        for (const each of heard) each.close()
      },
    }
  })

  busSuite(name, async (hereListener, thereListener) => {
    const here = await hearing(form(), await open('here'), hereListener)
    const there = await hearing(form(), await open('there'), thereListener)
    return {
      here: here.bus,
      there: there.bus,
      publish: (...change) => publish(form(), ...change),
      settled: async () => void (await Promise.all([here.settled(), there.settled()])),
      proven: async () => void (await Promise.all([here.proven(), there.proven()])),
      now: () => systemClock.now(),
      close() {
        here.close()
        there.close()
      },
    }
  })
})

const leasing = ({ origin }: Far) => ({ origin, leaseMs: LEASE_MS })

/** What is told is handed on as `cache/invalidation.ts` does it. */
const calling = (leases: RedisLeases): BusListener => ({
  noticed({ subject }) {
    const address = subjectKey(subject)
    if (address) leases.call(address)
  },
  gap() {},
  lost() {},
})

/** Subjects that are not of the suites begin so. */
const OWN = '_:(own) '

let tips = 0

/** A change by a script, as a process sends it. */
async function publish(
  { admin, publishes, buckets }: RunningForm,
  origin: string,
  operation: 'D' | 'X',
  subject: string,
  bucket = 0,
): Promise<void> {
  const names = namesIn(PREFIX, bucket, buckets)
  const tip = (++tips).toString(16).padStart(16, '0')
  const told = [`${publishes} ${names.channel}`, tip, noticeBody(operation, origin, subject)] as const
  const nothing = names.nothing
  if (operation === 'D') await admin.eval(scripts['invalidate-3'].lua, 3, nothing, nothing, names.chain, ...told)
  else await admin.eval(scripts['invalidate-group-2'].lua, 2, nothing, names.chain, ...told, '7', '1000')
}

/** A bus that hears every bucket. Of what is told on the way nothing reaches the listener. */
async function hearing(form: RunningForm, far: Far, listener: BusListener) {
  const bus = new RedisBus(far.client, { origin: far.origin, maxStalenessMs: BOUND_MS }, systemClock)
  const probes = new Map<string, () => void>()
  bus.subscribe({
    ...listener,
    noticed(notice, bucket) {
      probes.get(notice.subject)?.()
      if (!notice.subject.startsWith(OWN)) listener.noticed(notice, bucket)
    },
    gap: (...gap) => listener.gap(...gap),
    lost: (...loss) => listener.lost(...loss),
  })
  const buckets = Array.from({ length: bus.buckets }, (_, bucket) => bucket)
  let isClosed = false
  const { close } = bus
  bus.close = () => {
    isClosed = true
    close.call(bus)
  }
  /** Every bucket has been proven to be current at a time after this call. */
  const proven = async () => {
    const from = systemClock.now()
    const last = () => Math.min(...buckets.map((bucket) => bus.currency(bucket).verifiedAt))
    await expect.poll(last, { timeout: 10_000, interval: 10 }).toBeGreaterThanOrEqual(from)
  }
  // Without a first link there is nothing to prove.
  await Promise.all(buckets.map((bucket) => publish(form, 'third', 'D', `${OWN}ready`, bucket)))
  await proven()
  return {
    bus,
    proven,
    /** What a server was told before, it has passed on before. */
    async settled() {
      if (isClosed) return
      await Promise.all(
        form.bucketOfEach.map(async (bucket) => {
          const subject = `${OWN}probe ${++tips}`
          const heard = new Promise<void>((resolve) => probes.set(subject, resolve))
          await form.publish(namesIn(PREFIX, bucket, form.buckets), wakeUp('F', 'a test', subject))
          await heard
        }),
      )
    },
    close() {
      bus.close()
      far.close()
    },
  }
}
