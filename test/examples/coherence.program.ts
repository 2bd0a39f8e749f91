/**
 * Two copies of the example shop with one Redis, one of them cut off from it: what their visitors see, step by step.
 * What depends on the machine stands in brackets. Ends with an error if a price is shown for longer than promised.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { openDatabase } from '../../examples/express-app/src/database.ts'
import { seed } from '../../examples/express-app/src/seed.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import { startRedis } from '../doubles/redis.ts'
import type { Shown, ShopCopy } from './shop-copy.ts'
import { startCopy } from './shop-copy.ts'

/** `maxStaleness` of the shop, which has the default. */
const BOUND_MS = 2000
const PATIENCE_MS = 20_000
/** A visitor looks a hundred times in a second. */
const PAUSE_MS = 10

const atEnd: (() => Promise<unknown>)[] = []
try {
  await tellStory()
} finally {
  for (const step of atEnd.reverse()) await step()
}

async function tellStory(): Promise<void> {
  const database = opened(openDatabase(undefined), (each) => each.close())
  const redis = opened(await startRedis(), (each) => each.stop())
  const line = opened(await startFaultProxy(redis), (each) => each.stop())
  await seed(database)
  const a = opened(await startCopy(redis.url, database), (each) => each.stop())
  const b = opened(await startCopy(line.url, database), (each) => each.stop())

  print(`1. A shows ${(await warm(a)).price}, B shows ${(await warm(b)).price}, both from L1.`)

  const second = await a.setPrice(20)
  const heard = await until(b, ({ price }) => price === 20)
  print(`2. A sets 20: ${said(second)}. B shows 20 [${later(heard, second)}].`)

  await provenCurrent(b)
  line.hole()
  const third = await a.setPrice(30)
  print(`3. The line between B and Redis goes dead without a word. A sets 30: ${said(third)}.`)
  let old = await b.look()
  const renewed = await until(b, (shown) => {
    if (shown.price === old.price) old = shown
    return shown.price === 30
  })
  const keptMs = Math.ceil(old.askedAt - third.answeredAt)
  if (keptMs > BOUND_MS) throw new Error(`B still showed ${old.price} when it was asked ${keptMs} ms later`)
  print(`   B shows ${old.price} from ${old.from} [for ${keptMs} ms, bound ${BOUND_MS}], then 30 from ${renewed.from}.`)

  await warm(a)
  const fourth = await b.setPrice(40)
  const [own, other] = [await b.look(), await a.look()]
  print(
    `4. B sets 40: ${said(fourth)}. B shows ${own.price} from ${own.from}, A shows ${other.price} from ${other.from}.`,
  )

  line.release({ deliver: false })
  const releasedAt = performance.now()
  const repeated = await until(a, ({ price }) => price === 40)
  print(
    `5. The dead connections break, new ones come through. A shows 40 [${later(repeated, { answeredAt: releasedAt })}].`,
  )

  await provenCurrent(b)
  print('6. B answers from L1 again, for longer than it does unless it hears what others change.')
  const last = await a.setPrice(50)
  const again = await until(b, ({ price }) => price === 50)
  print(`   A sets 50: ${said(last)}. B shows 50 [${later(again, last)}].`)
}

/** Looks until the page comes from L1. */
function warm(copy: ShopCopy): Promise<Shown> {
  return until(copy, ({ from }) => from === 'L1')
}

/** Looks until a copy has answered from L1 alone for longer than it may without a proof that it hears what others do. */
async function provenCurrent(copy: ShopCopy): Promise<void> {
  let first = await warm(copy)
  await until(copy, (shown) => {
    if (shown.from !== 'L1') first = shown
    return shown.askedAt - first.answeredAt > BOUND_MS
  })
}

/** Looks until what is shown is as wanted. */
async function until(copy: ShopCopy, isWanted: (shown: Shown) => boolean): Promise<Shown> {
  const deadlineAt = performance.now() + PATIENCE_MS
  for (;;) {
    const shown = await copy.look()
    if (isWanted(shown)) return shown
    if (shown.askedAt > deadlineAt) throw new Error(`${shown.price} is still shown, from ${shown.from}`)
    await pause(PAUSE_MS)
  }
}

function opened<Thing>(thing: Thing, end: (thing: Thing) => Promise<unknown>): Thing {
  atEnd.push(() => end(thing))
  return thing
}

function said({ acknowledged }: { readonly acknowledged: boolean }): string {
  return acknowledged ? 'acknowledged' : 'not acknowledged'
}

function later(shown: Shown, change: { readonly answeredAt: number }): string {
  return `${Math.ceil(shown.answeredAt - change.answeredAt)} ms later`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
