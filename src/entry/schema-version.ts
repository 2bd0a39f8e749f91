import { createHash } from 'node:crypto'
import { badValue } from '../errors.ts'
import type { StandardSchema } from './schema.ts'

/** So much of a digest that two schemas never share it by chance. */
const DIGEST_CHARACTERS = 22

/**
 * The version that a schema tells by itself: a digest of the JSON Schema of what it makes (https://standardschema.dev/json-schema,
 * as zod has it from 4.2 on, and valibot through `toStandardJsonSchema`), the same in every process. Throws `ERR_INVALID_OPTION`
 * where a schema has none.
 */
export function schemaVersionOf(schema: StandardSchema): string {
  return createHash('sha256').update(jsonSchemaOf(schema)).digest('base64url').slice(0, DIGEST_CHARACTERS)
}

function jsonSchemaOf(schema: StandardSchema): string {
  const { jsonSchema } = schema['~standard']
  if (typeof jsonSchema?.output !== 'function') {
    throw badValue('ERR_INVALID_OPTION', 'schema', "one that tells its JSON Schema, for schemaVersion: 'auto'", schema)
  }
  try {
    const described = jsonSchema.output({ target: 'draft-2020-12' })
    if (typeof described === 'object') return JSON.stringify(described)
    throw badValue('ERR_INVALID_OPTION', 'the JSON Schema', 'an object', described)
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    const expected = `one whose values JSON Schema can describe, for schemaVersion: 'auto'${why}`
    throw Object.assign(badValue('ERR_INVALID_OPTION', 'schema', expected, schema), { cause })
  }
}
