import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestFleet } from '../../src/testing.ts'
import { PageExamples } from '../doubles/page-examples.ts'

const PAGE = 'docs/testing.md'

describe('the examples of the page', () => {
  const examples = new PageExamples(PAGE)
  afterAll(() => examples.remove())

  beforeAll(() => {
    expect(examples.compile()).toEqual({ status: 0, output: '' })
  })

  test.each(examples.codes.map((code, index) => [index, code.match(/^test\(/gm)?.length ?? 0] as const))(
    'number %d: its %d tests pass, and its process ends by itself',
    (index, tests) => {
      const { status, output } = examples.run(index)
      expect(output).toMatch(new RegExp(`^. pass ${tests}$`, 'm'))
      expect([status, output]).toEqual([0, expect.not.stringMatching(/unhandled/i)])
    },
  )

  test('there are some', () => {
    expect(examples.codes).toHaveLength(3)
  })
})

test('the page tells of each disturbance, and of no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../..', PAGE), 'utf8')
  const told = [...text.matchAll(/^\| `(redis|bus)\.(\w+)\(/gm)].map(([, part, name]) => `${part}.${name}`)
  const { redis, bus } = createTestFleet(1)
  const names = [...Object.keys(redis).map((name) => `redis.${name}`), ...Object.keys(bus).map((name) => `bus.${name}`)]
  expect(told.sort()).toEqual(names.sort())
})
