/**
 * What values must be, in the form that validating libraries share: https://standardschema.dev, version 1. Those of zod
 * (3.24 on), valibot (1 on) and others have it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For inference alone; there is nothing in it. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** A value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

/** What a schema makes of what it accepts. */
export type OutputOf<Schema extends StandardSchema> =
  Schema extends StandardSchema<infer _, infer Output> ? Output : never

/** Whether something is a schema. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as Partial<StandardSchema>)['~standard']
  return standard?.version === 1 && typeof standard.validate === 'function'
}
