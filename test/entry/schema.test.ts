import { describe, expect, test } from 'vitest'
import * as valibot from 'valibot'
import { z } from 'zod'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { isSchema, validate } from '../../src/entry/schema.ts'

/** A schema of the test's own. */
function schemaOf(validating: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: validating as never } }
}

describe.each([
  ['zod', z.object({ id: z.number(), name: z.string().default('nobody') })],
  ['valibot', valibot.object({ id: valibot.number(), name: valibot.optional(valibot.string(), 'nobody') })],
])('%s', (_, schema) => {
  test('is a schema, and makes of a value what it should be', async () => {
    expect(isSchema(schema)).toBe(true)
    expect(await validate(schema, { id: 1, more: true })).toEqual({ passes: true, value: { id: 1, name: 'nobody' } })
  })

  test('says what is wrong, and where', async () => {
    const verdict = await validate(schema, { id: 'one', name: 2 })
    expect(verdict).toMatchObject({ passes: false, reason: expect.stringMatching(/^id: .+; name: /) })
  })
})

test('of many issues three are told', () => {
  const verdict = validate(
    schemaOf(() => ({ issues: [1, 2, 3, 4, 5].map((number) => ({ message: `m${number}` })) })),
    1,
  )
  expect(verdict).toMatchObject({ passes: false, reason: 'm1; m2; m3; and 2 more' })
})

test('a path may have keys, or objects with keys', () => {
  const verdict = validate(
    schemaOf(() => ({ issues: [{ message: 'wrong', path: ['a', { key: 0 }, Symbol('b')] }] })),
    1,
  )
  expect(verdict).toMatchObject({ reason: 'a.0.Symbol(b): wrong' })
})

test.each([
  ['throws', () => Promise.resolve().then.call(null)],
  ['rejects', () => Promise.reject(new Error('broken'))],
  ['answers null', () => null],
  ['answers neither a value nor issues', () => ({})],
])('a schema that %s accepts nothing', async (_, validating) => {
  expect(await validate(schemaOf(validating), 1)).toMatchObject({ passes: false, reason: expect.any(String) })
})

test('a synchronous schema answers at once, an asynchronous one with a promise', async () => {
  expect(
    validate(
      schemaOf((value) => ({ value })),
      1,
    ),
  ).toEqual({ passes: true, value: 1 })
  const later = validate(
    schemaOf(async (value) => ({ value })),
    1,
  )
  expect(later).toBeInstanceOf(Promise)
  expect(await later).toEqual({ passes: true, value: 1 })
})

test.each([
  undefined,
  null,
  1,
  'x',
  {},
  { '~standard': { version: 2, validate() {} } },
  { '~standard': { version: 1 } },
])('%s is no schema', (value) => expect(isSchema(value)).toBe(false))

test('a function may be a schema', () => {
  expect(
    isSchema(
      Object.assign(
        () => true,
        schemaOf((value) => ({ value })),
      ),
    ),
  ).toBe(true)
})
