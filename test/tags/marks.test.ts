import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { namespaceGroup, tagGroup } from '../../src/entry/key.ts'
import { Marks } from '../../src/tags/marks.ts'

describe('Marks', () => {
  test('a move makes void what was noted before it and depends on that group', () => {
    const marks = new Marks()
    const before = marks.count
    marks.move('t:a')
    expect(marks.movedSince(['t:a'], before)).toBe(true)
    expect(marks.movedSince(['t:b', 't:a'], before)).toBe(true)
    expect(marks.movedSince(['t:b'], before)).toBe(false)
    expect(marks.movedSince([], before)).toBe(false)
    expect(marks.movedSince(['t:a'], marks.count)).toBe(false)
  })

  test('a second move counts, however many others lie between', () => {
    const marks = new Marks()
    marks.move('t:a')
    const noted = marks.count
    for (let index = 0; index < 100; index++) marks.move(`t:${index}`)
    expect(marks.movedSince(['t:a'], noted)).toBe(false)
    marks.move('t:a')
    expect(marks.movedSince(['t:a'], noted)).toBe(true)
  })

  test('moveAll makes everything void that was noted before, groups or none', () => {
    const marks = new Marks()
    const before = marks.count
    marks.moveAll()
    expect(marks.movedSince([], before)).toBe(true)
    expect(marks.movedSince(['t:a'], before)).toBe(true)
    expect(marks.movedSince(['t:a'], marks.count)).toBe(false)
    const between = marks.count
    marks.move('t:a')
    expect(marks.movedSince(['t:b'], between)).toBe(false)
  })

  test('a move that is forgotten counts as one of everything', () => {
    const marks = new Marks()
    const beforeAll = marks.count
    marks.move('t:first')
    const afterFirst = marks.count
    for (let index = 0; index < 10_000; index++) marks.move(`t:${index}`)
    expect(marks.movedSince(['t:first'], beforeAll)).toBe(true)
    expect(marks.movedSince(['t:never moved'], beforeAll)).toBe(true)
    expect(marks.movedSince(['t:never moved'], afterFirst)).toBe(false)
    expect(marks.movedSince(['t:first'], afterFirst)).toBe(false)
  })

  test('names of groups are no names of Object.prototype', () => {
    const marks = new Marks()
    expect(marks.movedSince(['constructor', '__proto__', 'toString'], 0)).toBe(false)
    marks.move('__proto__')
    expect(marks.movedSince(['__proto__'], 0)).toBe(true)
    expect(marks.movedSince(['constructor'], 0)).toBe(false)
  })

  test('a tag and a namespace of one name are two groups', () => {
    expect([tagGroup('a'), namespaceGroup('a')]).toEqual(['t:a', 'k:a'])
  })

  test('never says that what moved did not, whatever the order', () => {
    const group = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      group.map((name) => ['move', name] as const),
      fc.constant(['all', ''] as const),
      group.map((name) => ['note', name] as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const marks = new Marks()
        const notes: { group: string; count: number; isVoid: boolean }[] = []
        for (const [word, name] of steps) {
          if (word === 'move') marks.move(name)
          if (word === 'all') marks.moveAll()
          for (const note of notes) if (word === 'all' || (word === 'move' && note.group === name)) note.isVoid = true
          if (word === 'note') notes.push({ group: name, count: marks.count, isVoid: false })
        }
        expect(notes.map((note) => marks.movedSince([note.group], note.count))).toEqual(
          notes.map((note) => note.isVoid),
        )
      }),
    )
  })
})
