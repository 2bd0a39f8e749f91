import { describe, expect, test } from 'vitest'
import type { Rule } from './checker.ts'
import { check } from './checker.ts'
import { excerpt } from './excerpt.ts'
import type { Bounds, Ending, Fault, History, Load, Read, Write } from './history.ts'
import { emptyHistory } from './history.ts'

const bounds: Bounds = { stalenessMs: 1000, commandMs: 250, waitMs: 3000, loadMs: 900, failoverMs: 2500 }

let ids = 0

/** A read that is quick and comes from L1, unless it is told otherwise. */
function read(process: string, start: number, version: number | undefined, more: Partial<Read> = {}): Read {
  const value = version === undefined ? undefined : { key: '_:k', version }
  const usual = { operation: 'getOrSetEntry', end: start + 1, stalledMs: 0, freshness: 'fresh', tier: 'l1' } as const
  return { id: ++ids, process, key: '_:k', start, value, ...usual, ...more }
}

/** A deletion that is acknowledged in a millisecond, unless it is told otherwise. */
function write(process: string, start: number, version: number, more: Partial<Write> = {}): Write {
  const usual = { operation: 'delete', end: start + 1, stalledMs: 0, acknowledged: true, isSoft: false }
  return { id: ++ids, process, versions: { '_:k': version }, raisedAt: start - 1, start, ...usual, ...more }
}

function load(process: string, start: number, end: number, more: Partial<Load> = {}): Load {
  return { process, key: '_:k', start, end, outcome: 'loaded', version: 1, ...more }
}

function fault(name: string, start: number, end: number): Fault {
  return { name, target: 'w1', start, end }
}

function well(process: string, more: Partial<Ending> = {}): Ending {
  return { process, pending: [], isWell: true, ...more }
}

function history(parts: Partial<Omit<History, 'seed' | 'bounds'>>): History {
  return { ...emptyHistory(1, bounds), ...parts }
}

function rulesOf(parts: Partial<Omit<History, 'seed' | 'bounds'>>): Rule[] {
  return check(history(parts)).map(({ rule }) => rule)
}

test('nothing happened, nothing is violated', () => {
  expect(rulesOf({})).toEqual([])
})

describe('R1: own writes', () => {
  test('a process does not read what is older than its own settled write', () => {
    expect(rulesOf({ writes: [write('a', 100, 2)], reads: [read('a', 102, 1)] })).toEqual(['R1'])
  })

  test('acknowledged or not', () => {
    const writes = [write('a', 100, 2, { acknowledged: false })]
    expect(rulesOf({ writes, reads: [read('a', 5000, 1)] })).toEqual(['R1'])
  })

  test('a read that began before may answer the old value, and so may one of a process that came after it', () => {
    const writes = [write('a.1', 100, 2, { acknowledged: false })]
    const reads = [read('a.1', 99, 1, { end: 500 }), read('a.1', 100.5, 1), read('a.2', 600, 1)]
    expect(rulesOf({ writes, reads })).toEqual([])
  })

  test('a miss, and something newer, are no violation', () => {
    const writes = [write('a', 100, 2), write('b', 103, 3, { end: undefined })]
    expect(rulesOf({ writes, reads: [read('a', 102, undefined), read('a', 104, 3)] })).toEqual([])
  })
})

describe('R2: writes of others', () => {
  test('an older value is gone when the bound is over', () => {
    expect(rulesOf({ writes: [write('a', 100, 2)], reads: [read('b', 1101.5, 1)] })).toEqual(['R2'])
  })

  test('until then it may be read', () => {
    expect(rulesOf({ writes: [write('a', 100, 2)], reads: [read('b', 1101, 1)] })).toEqual([])
  })

  test('a write that was not acknowledged binds nobody else', () => {
    const writes = [write('a', 100, 2, { acknowledged: false }), write('c', 200, 3, { end: undefined })]
    expect(rulesOf({ writes, reads: [read('b', 9000, 1)] })).toEqual([])
  })

  test('until its repetition is acknowledged', () => {
    const writes = [write('a', 100, 2, { acknowledged: false })]
    const repeats = [{ process: 'a', keys: ['_:k'], at: 3000 }]
    expect(rulesOf({ writes, repeats, reads: [read('b', 3900, 1)] })).toEqual([])
    expect(rulesOf({ writes, repeats, reads: [read('b', 4001, 1)] })).toEqual(['R2'])
  })

  test('an acknowledgement that may be that of an earlier call does not count', () => {
    const writes = [write('a', 100, 2, { acknowledged: false })]
    const repeats = [{ process: 'a', keys: ['_:k'], at: 200 }]
    expect(rulesOf({ writes, repeats, reads: [read('b', 9000, 1)] })).toEqual([])
  })

  test('a write that covers several keys binds all of them', () => {
    const writes = [write('a', 100, 2, { operation: 'clear', versions: { '_:j': 5, '_:k': 2 } })]
    expect(rulesOf({ writes, reads: [read('b', 2000, 1)] })).toEqual(['R2'])
  })

  test('what was only made stale may be served as stale, and not as fresh', () => {
    const writes = [write('a', 100, 2, { operation: 'expire', isSoft: true })]
    expect(rulesOf({ writes, reads: [read('b', 2000, 1, { freshness: 'stale' })] })).toEqual([])
    expect(rulesOf({ writes, reads: [read('b', 2000, 1, { freshness: 'fresh' })] })).toEqual(['R2'])
  })

  test('what a failover may have lost has a longer bound', () => {
    const writes = [write('a', 100, 2)]
    const faults = [{ ...fault('failover', 50, 1000), losses: [{}] }]
    expect(rulesOf({ writes, faults, reads: [read('b', 4400, 1)] })).toEqual([])
    expect(rulesOf({ writes, faults, reads: [read('b', 4501, 1)] })).toEqual(['R2'])
  })

  describe('where another server takes over', () => {
    const faults = [{ ...fault('failover', 50, 1000), losses: [{ heir: 1, buckets: [3] }] }]
    const buckets = { '_:k': 3 }
    const came = (process: string, at: number) => ({ process, end: 1, at })
    const arrivals = [came('a', 200), came('b', 700)]

    test('what may be lost counts from when both, writer and reader, have come there', () => {
      const writes = [write('a', 100, 2)]
      const reads = (start: number) => [read('b', start, 1)]
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: reads(4200) })).toEqual([])
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: reads(4201) })).toEqual(['R2'])
      const laterWriter = [came('a', 900), came('b', 700)]
      expect(rulesOf({ writes, faults, buckets, arrivals: laterWriter, reads: reads(4400) })).toEqual([])
    })

    test('what was written there is not lost: it counts at once for those who have come', () => {
      const writes = [write('a', 300, 2)]
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: [read('b', 1700, 1)] })).toEqual([])
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: [read('b', 1701, 1)] })).toEqual(['R2'])
    })

    test('what was acknowledged before is not lost, nor what is in other buckets', () => {
      const reads = [read('b', 1200, 1)]
      expect(rulesOf({ writes: [write('a', 40, 2)], faults, buckets, arrivals, reads })).toEqual(['R2'])
      expect(rulesOf({ writes: [write('a', 100, 2)], faults, buckets: { '_:k': 4 }, arrivals, reads })).toEqual(['R2'])
    })

    test('who never comes counts as having come with the last one', () => {
      const writes = [write('a', 100, 2)]
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: [read('c', 4500, 1)] })).toEqual([])
      expect(rulesOf({ writes, faults, buckets, arrivals, reads: [read('c', 4501, 1)] })).toEqual(['R2'])
    })

    test('a further failover within the allowance begins it anew', () => {
      const writes = [write('a', 100, 2)]
      const again = (start: number) => [...faults, { ...fault('failover', start, 3400), losses: [{ heir: 2 }] }]
      const all = [...arrivals, { process: 'a', end: 2, at: 3300 }, { process: 'b', end: 2, at: 3350 }]
      const history = { writes, buckets, arrivals: all }
      expect(rulesOf({ ...history, faults: again(3200), reads: [read('b', 6850, 1)] })).toEqual([])
      expect(rulesOf({ ...history, faults: again(3200), reads: [read('b', 6851, 1)] })).toEqual(['R2'])
      expect(rulesOf({ ...history, faults: again(3201), reads: [read('b', 4201, 1)] })).toEqual(['R2'])
    })
  })
})

describe('R3: after healing', () => {
  test('all hear', () => {
    expect(rulesOf({ deaf: [{ process: 'a', at: 9000 }] })).toEqual(['R3'])
  })

  const alive = [well('a'), well('b')]

  test('all have the newest value', () => {
    const writes = [write('a', 100, 2)]
    const reads = [read('a', 9000, 2, { isFinal: true }), read('b', 9000, 2, { isFinal: true })]
    expect(rulesOf({ writes, reads, endings: alive })).toEqual([])
    const missing = [read('b', 9000, undefined, { isFinal: true })]
    expect(rulesOf({ writes, reads: missing, endings: alive })).toEqual(['R3'])
  })

  test('also when the last write was not acknowledged, if its process lives', () => {
    const writes = [write('a', 100, 2, { acknowledged: false })]
    const reads = [read('b', 9000, 1, { isFinal: true })]
    expect(rulesOf({ writes, reads, endings: alive })).toEqual(['R3'])
    expect(rulesOf({ writes, reads, endings: [well('b')] })).toEqual([])
  })

  test('what was only made stale may still be served as stale', () => {
    const writes = [write('a', 100, 2), write('a', 200, 3, { isSoft: true })]
    const stale = [read('b', 9000, 2, { isFinal: true, freshness: 'stale' })]
    expect(rulesOf({ writes, reads: stale, endings: alive })).toEqual([])
    const fresh = [read('b', 1100, 2, { isFinal: true })]
    expect(rulesOf({ writes, reads: fresh, endings: alive })).toEqual(['R3'])
  })

  test('all work', () => {
    expect(rulesOf({ endings: [well('a', { isWell: false })] })).toEqual(['R3'])
  })
})

describe('R4: values', () => {
  test('of another key', () => {
    expect(rulesOf({ reads: [read('a', 100, 1, { value: { key: '_:j', version: 1 } })] })).toEqual(['R4'])
  })

  test('of the future', () => {
    expect(rulesOf({ writes: [write('a', 200, 2)], reads: [read('b', 100, 2)] })).toEqual(['R4'])
    expect(rulesOf({ reads: [read('b', 100, 2)] })).toEqual(['R4'])
  })

  test('a write under way may be seen', () => {
    expect(rulesOf({ writes: [write('a', 100, 2, { end: undefined })], reads: [read('b', 100.5, 2)] })).toEqual([])
  })
})

describe('R5: order', () => {
  const lost = [write('a', 50, 2, { end: undefined })]

  test('L2 does not go back, whoever reads it', () => {
    const reads = [read('b', 100, 2, { tier: 'l2' }), read('c', 200, 1, { tier: 'l2' })]
    expect(rulesOf({ writes: lost, reads })).toEqual(['R5'])
  })

  test('a read that joined another may have looked into L2 earlier, and so may one that began earlier', () => {
    const seen = read('b', 100, 2, { tier: 'l2' })
    const joined = read('c', 200, 1, { tier: 'l2', joined: true })
    const earlier = read('d', 100.5, 1, { tier: 'l2', end: 300 })
    expect(rulesOf({ writes: lost, reads: [seen, joined, earlier] })).toEqual([])
  })

  test('what a reader saw in L2 binds its later reads when the bound is over', () => {
    const reads = [read('b', 100, 2, { tier: 'l2' }), read('b', 1200, 1)]
    expect(rulesOf({ writes: lost, reads })).toEqual(['R5'])
    const soon = [read('b', 100, 2, { tier: 'l2' }), read('b', 1100, 1), read('c', 1200, 1)]
    expect(rulesOf({ writes: lost, reads: soon })).toEqual([])
  })

  test('a failover may take back what was seen', () => {
    const reads = [read('b', 100, 2, { tier: 'l2' }), read('c', 200, 1, { tier: 'l2' })]
    const faults = (start: number) => [{ ...fault('failover', start, 180), losses: [{}] }]
    expect(rulesOf({ writes: lost, reads, faults: faults(90) })).toEqual([])
    expect(rulesOf({ writes: lost, reads, faults: faults(120) })).toEqual(['R5'])
  })
})

describe('R6: deadlines', () => {
  const slow = (operation: string, took: number, more: Partial<Read> = {}) => [
    read('a', 100, 1, { operation, end: 100 + took, ...more }),
  ]

  test('each call has its own', () => {
    expect(rulesOf({ reads: slow('peek', 300) })).toEqual(['R6'])
    expect(rulesOf({ reads: slow('get', 600) })).toEqual([])
    expect(rulesOf({ reads: slow('get', 800) })).toEqual(['R6'])
    expect(rulesOf({ reads: slow('getOrSetEntry', 6000) })).toEqual([])
    expect(rulesOf({ reads: slow('getOrSetEntry', 6500) })).toEqual(['R6'])
    expect(rulesOf({ writes: [write('a', 100, 2, { end: 900 })] })).toEqual(['R6'])
  })

  test('each call is answered', () => {
    const unanswered = [{ process: 'a', operation: 'get', key: '_:k', askedAt: 100 }]
    expect(rulesOf({ unanswered })).toEqual(['R6'])
  })

  test('time in which the process or the driver did not run is not counted', () => {
    expect(rulesOf({ reads: slow('get', 1500, { stalledMs: 900 }) })).toEqual([])
    const stalls = [{ process: 'driver', start: 0, end: 1000 }]
    expect(rulesOf({ reads: slow('get', 1500), stalls })).toEqual([])
  })
})

describe('R7: one load', () => {
  const two = [load('a', 10_000, 10_500), load('b', 10_200, 10_300)]

  test('two loads of a key do not overlap', () => {
    expect(rulesOf({ loads: two })).toEqual(['R7'])
    expect(rulesOf({ loads: [load('a', 100, 200), load('b', 200, 300)] })).toEqual([])
    expect(rulesOf({ loads: [load('a', 100, 200), load('b', 150, 300, { key: '_:j' })] })).toEqual([])
  })

  test('unless a fault, a write of the key, a stall or a value that must not be stored is near', () => {
    expect(rulesOf({ loads: two, faults: [fault('cut', 4000, 5000)] })).toEqual([])
    expect(rulesOf({ loads: two, faults: [fault('cut', 100, 200)] })).toEqual(['R7'])
    expect(rulesOf({ loads: two, writes: [write('c', 9900, 2)] })).toEqual([])
    expect(rulesOf({ loads: two, writes: [write('c', 10_250, 2)] })).toEqual(['R7'])
    expect(rulesOf({ loads: two, stalls: [{ process: 'b', start: 9500, end: 9900 }] })).toEqual([])
    const skipped = load('c', 9000, 9500, { outcome: 'skipped' })
    expect(rulesOf({ loads: [skipped, ...two] })).toEqual([])
  })
})

test('R8: a journal that is not empty', () => {
  expect(rulesOf({ endings: [well('a', { pending: ['_:k'] })] })).toEqual(['R8'])
})

test('R9: what nobody expects', () => {
  expect(rulesOf({ incidents: [{ process: 'a', at: 1, text: 'Error: boom' }] })).toEqual(['R9'])
})

test('the first violation comes first', () => {
  const reads = [read('b', 5000, 1), read('a', 102, 1)]
  expect(rulesOf({ writes: [write('a', 100, 2)], reads })).toEqual(['R1', 'R2'])
})

test('an excerpt shows what happened to the key, and marks what contradicts each other', () => {
  const told = history({
    writes: [write('a', 100, 2), write('a', 100, 2, { versions: { '_:j': 2 } })],
    reads: [read('b', 90, 1), read('b', 1200, 1)],
    loads: [load('b', 40, 80)],
    faults: [fault('cut', 95, 300)],
  })
  const [violation] = check(told)
  expect(violation && excerpt(told, violation).join('\n')).toMatchInlineSnapshot(`
    "       40.0 –      80.0  load    b loaded 1
           90.0 –      91.0  read    b getOrSetEntry 1 fresh l1
           95.0 –     300.0  fault   cut w1
    *     100.0 –     101.0  write   a delete 2 (raised 99.0) acknowledged
    *    1200.0 –    1201.0  read    b getOrSetEntry 1 fresh l1"
  `)
})
