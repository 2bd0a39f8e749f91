/**
 * What values must be, in the form that validating libraries share: https://standardschema.dev, version 1. Those of zod
 * (3.24 on), valibot (1 on) and others have it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** How the values are described in JSON Schema: https://standardschema.dev/json-schema. For `schemaVersion: 'auto'`. */
    readonly jsonSchema?:
      | {
          readonly output: (options: {
            readonly target: 'draft-2020-12'
            readonly libraryOptions?: Record<string, unknown> | undefined
          }) => Record<string, unknown>
        }
      | undefined
    /** For inference alone; there is nothing in it. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** A value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with a value, and where in it. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema makes of what it accepts. */
export type OutputOf<Schema extends StandardSchema> =
  Schema extends StandardSchema<infer _, infer Output> ? Output : never

/** Whether something is a schema. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as Partial<StandardSchema>)['~standard']
  return standard?.version === 1 && typeof standard.validate === 'function'
}

/** What a schema says of a value: what it makes of it, or in words why it does not pass. */
export type Verdict =
  | { readonly passes: true; readonly value: unknown }
  | { readonly passes: false; readonly reason: string; readonly cause: unknown }

/** Asks a schema. One that throws, rejects, or answers in no known form accepts nothing. */
export function validate(schema: StandardSchema, value: unknown): Verdict | Promise<Verdict> {
  try {
    const result = schema['~standard'].validate(value)
    return result instanceof Promise ? result.then(verdictOf, failed) : verdictOf(result)
  } catch (error) {
    return failed(error)
  }
}

function verdictOf(result: SchemaResult<unknown>): Verdict {
  if (result.issues) return { passes: false, reason: describeIssues(result.issues), cause: result.issues }
  if ('value' in result) return { passes: true, value: result.value }
  return { passes: false, reason: 'the schema answered neither a value nor issues', cause: result }
}

function failed(error: unknown): Verdict {
  const reason = `the schema failed: ${error instanceof Error ? error.message : String(error)}`
  return { passes: false, reason, cause: error }
}

/** So many issues are told one by one. */
const ISSUES_TOLD = 3

function describeIssues(issues: readonly SchemaIssue[]): string {
  const told = issues.slice(0, ISSUES_TOLD).map(({ message, path }) => `${whereOf(path)}${message}`)
  const more = issues.length - told.length
  return more > 0 ? `${told.join('; ')}; and ${more} more` : told.join('; ')
}

function whereOf(path: SchemaIssue['path']): string {
  if (!path || path.length === 0) return ''
  return `${path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')}: `
}
