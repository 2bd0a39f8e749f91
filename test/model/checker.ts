import type { Lossy } from './acknowledgement.ts'
import { acknowledgedAt, cameAt, lossesOf } from './acknowledgement.ts'
import type { Bounds, History, Load, Read, Write } from './history.ts'

/**
 * - `R1` a process reads something older than what it wrote itself.
 * - `R2` a process reads something older than what was acknowledged longer ago than the bound on staleness.
 * - `R3` after everything was healed, somebody does not have the newest value, or does not work or hear again.
 * - `R4` a value of another key, or one that the database has not given yet.
 * - `R5` a value goes back: L2's, or what a reader had seen there longer ago than the bound, acknowledged or not.
 * - `R6` a call takes longer than its deadlines allow.
 * - `R7` two loaders of a key run at one time, and no fault excuses it.
 * - `R8` a journal is not empty after everything was healed.
 * - `R9` an exception or rejection that nobody expects.
 */
export type Rule = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8' | 'R9'

export interface Violation {
  readonly rule: Rule
  readonly text: string
  readonly at: number
  readonly key?: string | undefined
  /** The operations that contradict each other. */
  readonly ids: readonly number[]
}

/** Judges a history by all rules. Pure. The first violations come first. */
export function check(history: History): Violation[] {
  const writes = byKey(history.writes, (write) => Object.keys(write.versions))
  const reads = byKey(history.reads, (read) => [read.key])
  const violations = [
    ...history.reads.flatMap((read) => checkValue(history, writes.get(read.key) ?? [], read)),
    ...[...reads].flatMap(([key, of]) => checkOrder(history, key, of)),
    ...history.reads.flatMap((read) => checkFinal(history, writes.get(read.key) ?? [], read)),
    ...checkEndings(history),
    ...checkDeadlines(history),
    ...checkLoads(history, writes),
    ...checkIncidents(history),
  ]
  return violations.sort((a, b) => a.at - b.at)
}

function byKey<Item>(items: readonly Item[], keysOf: (item: Item) => readonly string[]): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key)
      if (group) group.push(item)
      else groups.set(key, [item])
    }
  }
  return groups
}

function versionIn(write: Write, key: string): number {
  return write.versions[key] ?? 0
}

/** Whether a write binds a read: what was only made stale may still be served as stale. */
function binds(write: Write, read: Read): boolean {
  return !write.isSoft || read.freshness === 'fresh'
}

/** R1, R2, R4. */
function checkValue(history: History, writes: readonly Write[], read: Read): Violation[] {
  if (!read.value) return []
  const { version, key } = read.value
  const found = (rule: Rule, text: string, ...others: Write[]): Violation[] => [
    { rule, text, at: read.end, key: read.key, ids: [...others.map(({ id }) => id), read.id] },
  ]
  if (key !== read.key) return found('R4', `${read.process} read ${read.key} and got a value of ${key}`)
  const given = writes.find((write) => versionIn(write, key) === version)
  if (version > 1 && (!given || given.raisedAt > read.end)) {
    return found('R4', `${read.process} read ${key} and got version ${version}, which the database had not given yet`)
  }
  for (const write of writes) {
    if (versionIn(write, key) <= version || !binds(write, read)) continue
    const what = `${read.process} read ${key} and got version ${version}`
    if (write.process === read.process && write.end !== undefined && write.end <= read.start) {
      return found('R1', `${what} after its own ${write.operation} of ${versionIn(write, key)} had settled`, write)
    }
    const at = acknowledgedAt(history, write, key, read.process)
    if (at !== undefined && read.start > at + history.bounds.stalenessMs) {
      const late = Math.round(read.start - at)
      return found(
        'R2',
        `${what} ${late} ms after ${write.operation} of ${versionIn(write, key)} was acknowledged`,
        write,
      )
    }
  }
  return []
}

/**
 * R5. Two forms: L2 itself never goes back, whoever asks; and a reader that saw a value in L2 gets nothing older once the
 * bound is over, even if the write of that value was never acknowledged.
 */
function checkOrder(history: History, key: string, reads: readonly Read[]): Violation[] {
  const violations: Violation[] = []
  const losses = lossesOf(history, key)
  const seen: Read[] = []
  for (const read of [...reads].sort((a, b) => a.start - b.start)) {
    const { value } = read
    if (!value || value.key !== key) continue
    const earlier = seen.find(
      (one) =>
        (one.value?.version ?? 0) > value.version &&
        !losses.some((lossy) => mayTakeBack(history, lossy, one, read)) &&
        ((read.tier === 'l2' && !read.joined && one.end < read.start) ||
          (one.process === read.process && one.end + history.bounds.stalenessMs < read.start)),
    )
    if (earlier) {
      const before = `${earlier.process} had seen ${earlier.value?.version} in L2`
      const text = `${read.process} read ${key} and got version ${value.version} from ${read.tier ?? 'somewhere'} after ${before}`
      violations.push({ rule: 'R5', text, at: read.end, key, ids: [earlier.id, read.id] })
    }
    if (read.tier === 'l2') seen.push(read)
  }
  return violations
}

/** Whether what one read saw may have been lost before another one: it was not there before the fault, nor long after. */
function mayTakeBack(history: History, lossy: Lossy, one: Read, later: Read): boolean {
  const { start } = lossy.fault
  const came = Math.max(cameAt(history, lossy, one.process), cameAt(history, lossy, later.process))
  return one.end >= start && one.start < came + history.bounds.failoverMs && later.end > start
}

/** R3: values. What a process that was killed had not got acknowledged is not promised to anybody. */
function checkFinal(history: History, writes: readonly Write[], read: Read): Violation[] {
  if (!read.isFinal) return []
  const { key, process, value } = read
  const newest = writes
    .filter((write) => binds(write, read))
    .reduce<Write | undefined>(
      (best, write) => (best && versionIn(best, key) > versionIn(write, key) ? best : write),
      undefined,
    )
  const alive = new Set(history.endings.map((ending) => ending.process))
  const isPromised =
    !newest ||
    acknowledgedAt(history, newest, key, process) !== undefined ||
    (newest.end !== undefined && alive.has(newest.process))
  const expected = newest ? versionIn(newest, key) : 1
  if (!isPromised || (value && value.version >= expected)) return []
  const ids = newest ? [newest.id, read.id] : [read.id]
  const got = value ? `version ${value.version}` : `nothing (${read.failed ?? 'a miss'})`
  const text = `after healing ${process} reads ${key} and gets ${got} instead of ${expected}`
  return [{ rule: 'R3', text, at: read.end, key, ids }]
}

/** R3: processes. R8. */
function checkEndings(history: History): Violation[] {
  const deaf: Violation[] = history.deaf.map(({ process, at }) => {
    return { rule: 'R3', text: `${process} does not hear notices again after healing`, at, ids: [] }
  })
  const endings = history.endings.flatMap(({ process, pending, isWell }) => {
    const violations: Violation[] = []
    const at = Number.POSITIVE_INFINITY
    if (!isWell) violations.push({ rule: 'R3', text: `${process} does not work again after healing`, at, ids: [] })
    if (pending.length > 0) {
      violations.push({ rule: 'R8', text: `the journal of ${process} still holds ${pending.join(', ')}`, at, ids: [] })
    }
    return violations
  })
  return [...deaf, ...endings]
}

/** What a busy machine may add to a call. */
const SLACK_MS = 200

/** R6. The time in which a process, or the driver that answers its loaders, did not get to run is not the cache's. */
function checkDeadlines(history: History): Violation[] {
  const ofDriver = history.stalls.filter(({ process }) => process === 'driver')
  const violations: Violation[] = history.unanswered.map(({ process, operation, key, askedAt }) => {
    const text = `${operation} of ${key} by ${process} was never answered`
    return { rule: 'R6', text, at: askedAt, key, ids: [] }
  })
  for (const call of [...history.reads, ...history.writes]) {
    if (call.end === undefined) continue
    const took = call.end - call.start
    let allowed = allowedMs(history.bounds, call.operation) + SLACK_MS + call.stalledMs
    if (took <= allowed) continue
    for (const stall of ofDriver) {
      allowed += Math.max(0, Math.min(stall.end, call.end) - Math.max(stall.start, call.start))
    }
    if (took <= allowed) continue
    const text = `${call.operation} of ${call.process} took ${Math.round(took)} ms, ${Math.round(allowed)} are allowed`
    violations.push({ rule: 'R6', text, at: call.end, key: 'key' in call ? call.key : undefined, ids: [call.id] })
  }
  return violations
}

/**
 * One deadline for a command that fails, and the same again for commands that were answered just in time before it. A
 * call that loads may wait for another load first, and asks for L2 and the lease around both.
 */
function allowedMs({ commandMs, waitMs, loadMs }: Bounds, operation: string): number {
  if (operation === 'peek') return 0
  if (operation.startsWith('getOrSet')) return waitMs + 2 * loadMs + 5 * commandMs
  return 2 * commandMs
}

/** How long after a fault its consequences may last: the longest pause of the breaker, and a new connection. */
const FAULT_AFTERMATH_MS = 8000
/** How long after a write of the key those who waited for a lease may still load for themselves. */
const WRITE_AFTERMATH_MS = 2000
/** How long nobody waits after a value that must not be stored: for a load that begins a second later, to its end. */
const SKIP_AFTERMATH_MS = 2500
/** Who did not get to run for so long may have lost its lease, or others the patience with it. */
const STALL_MS = 200

/** R7. */
function checkLoads(history: History, writes: ReadonlyMap<string, readonly Write[]>): Violation[] {
  const violations: Violation[] = []
  for (const [key, loads] of byKey(history.loads, (load) => [load.key])) {
    const inOrder = [...loads].sort((a, b) => a.start - b.start)
    inOrder.forEach((first, index) => {
      for (const second of inOrder.slice(index + 1)) {
        if (second.start >= first.end) break
        if (isExcused(history, writes.get(key) ?? [], inOrder, first, second)) continue
        const text = `two loads of ${key} at one time, by ${first.process} and ${second.process}`
        violations.push({ rule: 'R7', text, at: second.start, key, ids: [] })
      }
    })
  }
  return violations
}

function isExcused(
  history: History,
  writes: readonly Write[],
  loads: readonly Load[],
  first: Load,
  second: Load,
): boolean {
  const meets = (start: number, end: number) => start <= second.start && end >= first.start
  return (
    history.faults.some(({ start, end }) => meets(start, end + FAULT_AFTERMATH_MS)) ||
    history.stalls.some(({ start, end }) => end - start >= STALL_MS && meets(start, end + FAULT_AFTERMATH_MS)) ||
    writes.some(({ raisedAt, end }) => meets(raisedAt, (end ?? Number.POSITIVE_INFINITY) + WRITE_AFTERMATH_MS)) ||
    loads.some(({ outcome, start, end }) => outcome === 'skipped' && meets(start, end + SKIP_AFTERMATH_MS))
  )
}

/** R9. */
function checkIncidents(history: History): Violation[] {
  return history.incidents.map(({ process, at, text }) => ({ rule: 'R9', text: `${process}: ${text}`, at, ids: [] }))
}
