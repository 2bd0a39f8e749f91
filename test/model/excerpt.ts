import type { Violation } from './checker.ts'
import type { History } from './history.ts'

/** How much before the first of the operations that contradict each other is told. */
const BEFORE_MS = 3000
const AFTER_MS = 200
const LINES_MOST = 60

/** The shortest history that shows a violation: what was done to its key around it, and the faults meanwhile. */
export function excerpt(history: History, { key, ids, at }: Violation): string[] {
  const involved = new Set(ids)
  const times = [...history.reads, ...history.writes].filter(({ id }) => involved.has(id)).map(({ start }) => start)
  const to = (Number.isFinite(at) ? at : Math.max(0, ...history.reads.map(({ end }) => end))) + AFTER_MS
  const from = (times.length > 0 ? Math.min(...times) : to - AFTER_MS) - BEFORE_MS
  const isIn = (start: number, end = start) => end >= from && start <= to
  const lines: [number, string][] = []
  const add = (start: number, end: number | undefined, text: string, mark = ' ') => {
    const until = end === undefined ? 'never' : end.toFixed(1)
    lines.push([start, `${mark} ${start.toFixed(1).padStart(9)} – ${until.padStart(9)}  ${text}`])
  }
  for (const { name, target, start, end } of history.faults) {
    if (isIn(start, end)) add(start, end, `fault   ${name} ${target}`)
  }
  for (const { process, start, end } of history.stalls) {
    if (isIn(start, end)) add(start, end, `stall   ${process}`)
  }
  for (const { process, at: when, keys } of history.repeats) {
    if (isIn(when) && key !== undefined && keys.includes(key)) add(when, when, `repeat  ${process} acknowledged`)
  }
  for (const write of history.writes) {
    const version = key === undefined ? undefined : write.versions[key]
    if (version === undefined || !isIn(write.start, write.end ?? write.start)) continue
    const outcome = write.end === undefined ? 'lost' : write.acknowledged ? 'acknowledged' : 'not acknowledged'
    const text = `write   ${write.process} ${write.operation} ${version} (raised ${write.raisedAt.toFixed(1)}) ${outcome}`
    add(write.start, write.end, text, involved.has(write.id) ? '*' : ' ')
  }
  for (const load of history.loads) {
    if (load.key !== key || !isIn(load.start, load.end)) continue
    add(load.start, load.end, `load    ${load.process} ${load.outcome} ${load.version ?? ''}`)
  }
  for (const read of history.reads) {
    if (read.key !== key || !isIn(read.start, read.end)) continue
    const got = read.value
      ? `${read.value.version} ${read.freshness ?? ''} ${read.tier ?? ''}`
      : (read.failed ?? 'miss')
    const text = `read    ${read.process} ${read.operation} ${got}${read.joined ? ' joined' : ''}`
    add(read.start, read.end, text, involved.has(read.id) ? '*' : ' ')
  }
  const sorted = lines.sort(([a], [b]) => a - b).map(([, text]) => text)
  return shorten(sorted)
}

/** The marked lines stay, and of the others those next to them. */
function shorten(lines: readonly string[]): string[] {
  if (lines.length <= LINES_MOST) return [...lines]
  const isWanted = (line: string) => line.startsWith('*') || !/^. .* {2}read /.test(line)
  const wanted = lines.map(
    (line, index) => isWanted(line) || [-2, -1, 1].some((step) => lines[index + step]?.startsWith('*')),
  )
  const kept = lines.filter((_, index) => wanted[index])
  return [...kept, `  (${lines.length - kept.length} more reads of this key are in the file)`]
}
