import { createHash } from 'node:crypto'
import { badValue } from '../errors.ts'
import type { StandardSchema } from './schema.ts'

/** So much of a digest that two schemas never share it by chance. */
const DIGEST_CHARACTERS = 22

/**
 * The version that a schema tells by itself: a digest of the JSON Schema of what it makes (https://standardschema.dev/json-schema,
 * as zod has it from 4.2 on, and valibot through `toStandardJsonSchema`), the same in every process. What JSON Schema cannot
 * describe, such as dates, stands in it by its name in the library. Throws `ERR_INVALID_OPTION` where a schema has none.
 */
export function schemaVersionOf(schema: StandardSchema): string {
  const text = JSON.stringify(describedBy(schema, new Map()))
  return createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_CHARACTERS)
}

/** The schemas that a description is under way of, by their numbers: one that is within itself is told by its number. */
type Described = Map<unknown, number>

const INSTEAD = '; or give schemaVersion a number or a text, and change it with the schema'

function describedBy(schema: StandardSchema, described: Described): object {
  const { jsonSchema, vendor } = schema['~standard']
  if (typeof jsonSchema?.output !== 'function') {
    const expected = `one that tells its JSON Schema, for schemaVersion: 'auto'${INSTEAD}`
    throw badValue('ERR_INVALID_OPTION', 'schema', expected, schema)
  }
  const known = described.get(schema)
  if (known !== undefined) return { within: known }
  described.set(schema, described.size)
  try {
    const description = jsonSchema.output({ target: 'draft-2020-12', libraryOptions: namesOfRest(vendor, described) })
    // One that cannot be written is none.
    if (typeof description === 'object' && JSON.stringify(description)) return description
    throw badValue('ERR_INVALID_OPTION', 'the JSON Schema', 'an object', description)
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    const expected = `one whose values JSON Schema can describe, for schemaVersion: 'auto'${INSTEAD}${why}`
    throw Object.assign(badValue('ERR_INVALID_OPTION', 'schema', expected, schema), { cause })
  }
}

/** How each library is asked to go on at what JSON Schema cannot describe, and to name it. */
function namesOfRest(vendor: string, described: Described): Record<string, unknown> | undefined {
  switch (vendor) {
    case 'zod':
      return { unrepresentable: 'any', override: (each: ZodPart) => nameZodPart(each, described) }
    case 'valibot':
      return { errorMode: 'ignore', overrideSchema: nameValibotPart, overrideAction: nameValibotPart }
    default:
      return undefined
  }
}

/** What zod tells of each part: https://zod.dev/json-schema. */
interface ZodPart {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string } } }
  readonly jsonSchema: Record<string, unknown>
}

/** Names what is left without a description, and describes what is within it: the keys of a Map, the values of a Set. */
function nameZodPart({ zodSchema, jsonSchema }: ZodPart, described: Described): void {
  if (Object.keys(jsonSchema).some((name) => name !== 'default')) return
  const { type, ...parts } = zodSchema._zod.def
  jsonSchema.zod = type
  for (const [name, part] of Object.entries(parts)) {
    if (isZodSchema(part)) jsonSchema[name] = describedBy(part, described)
  }
}

function isZodSchema(part: unknown): part is StandardSchema {
  return typeof part === 'object' && part !== null && '~standard' in part
}

/** What valibot tells of each schema and each action, which are plain data but for functions: https://valibot.dev. */
interface ValibotPart {
  readonly valibotSchema?: object
  readonly valibotAction?: object
  readonly jsonSchema: Record<string, unknown>
  readonly errors?: unknown
}

function nameValibotPart({ valibotSchema, valibotAction, jsonSchema, errors }: ValibotPart): object | undefined {
  if (!errors) return undefined
  return { ...jsonSchema, valibot: JSON.parse(JSON.stringify(valibotSchema ?? valibotAction, plain)) }
}

function plain(name: string, value: unknown): unknown {
  if (name === '~standard') return undefined
  return typeof value === 'bigint' || value instanceof RegExp ? String(value) : value
}
