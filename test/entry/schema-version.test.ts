import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { StandardSchema } from '../../src/entry/schema.ts'
import { schemaVersionOf } from '../../src/entry/schema-version.ts'

/** Schemas that all differ, each made anew by every call. JSON Schema describes some parts of theirs, and not others. */
const families: Readonly<Record<string, () => readonly StandardSchema[]>> = {
  zod: () => [
    z.string(),
    z.date(),
    z.bigint(),
    z.symbol(),
    z.object({ name: z.string() }),
    z.object({ name: z.string(), born: z.date() }),
    z.object({ name: z.string(), born: z.date().optional() }),
    z.object({ name: z.string(), born: z.bigint() }),
    z.object({ name: z.string().optional(), born: z.bigint() }),
    z.map(z.string(), z.number()),
    z.map(z.string(), z.date()),
    z.map(z.string(), z.map(z.string(), z.date())),
    z.set(z.object({ a: z.date() })),
    z.set(z.object({ b: z.date() })),
    z.array(z.date()),
    z.union([z.date(), z.bigint()]),
    z.instanceof(URL),
    z.string().transform(Number),
    Tree,
  ],
  valibot: () =>
    [
      v.string(),
      v.date(),
      v.bigint(),
      v.object({ name: v.string() }),
      v.object({ name: v.string(), born: v.date() }),
      v.object({ name: v.string(), born: v.optional(v.date()) }),
      v.object({ name: v.string(), born: v.bigint() }),
      v.object({ name: v.optional(v.string()), born: v.bigint() }),
      v.map(v.string(), v.number()),
      v.map(v.string(), v.date()),
      v.map(v.string(), v.object({ a: v.date() })),
      v.map(v.string(), v.object({ b: v.date() })),
      v.set(v.date()),
      v.array(v.date()),
      v.union([v.date(), v.bigint()]),
      v.literal(5n),
      v.literal(6n),
      v.pipe(v.string(), v.transform(Number)),
    ].map((schema) => toStandardJsonSchema(schema)),
}

/** One that is within itself, where JSON Schema does not look. */
const Tree: z.ZodType = z.object({
  name: z.string(),
  below: z.map(
    z.string(),
    z.lazy(() => Tree),
  ),
})

describe.each(Object.entries(families))('schemas of %s', (_, make) => {
  test('each has a version of its own, dates and Maps too', () => {
    const versions = make().map(schemaVersionOf)
    expect(new Set(versions).size).toBe(versions.length)
    for (const version of versions) expect(version).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  test('… which is the same wherever it is made', () => {
    expect(make().map(schemaVersionOf)).toEqual(make().map(schemaVersionOf))
  })
})
