export { createCache } from './create-cache.ts'
export { errorCodes, TierCacheError } from './errors.ts'

export type { Handle, HandleManyContext } from './cache/handle.ts'
export type { DefineOptions, HandleValues, WrapOptions } from './cache/handle-options.ts'
export type { Wrapped, WrappedResults } from './cache/wrap.ts'
export type { Cache } from './cache/cache.ts'
export type { LoadedEntry } from './cache/get-or-load.ts'
export type { LoadManyContext, ManyLoader, ManyValues } from './cache/batch-loader.ts'
export type { ManyEntries, ManyEntry } from './cache/many-arguments.ts'
export type { SetManyResult } from './cache/set-many.ts'
export type { CacheHealth, CacheStats, NamespaceStats } from './cache/health.ts'
export type {
  EntryInspection,
  Inspection,
  LeaseInspection,
  LoadInspection,
  TierInspection,
  TierState,
} from './cache/inspection.ts'
export type { CacheEntry } from './cache/read-entry.ts'
export type {
  ChangeOptions,
  CounterOptions,
  DefaultOptions,
  EntryOptions,
  KeysOptions,
  LoadOptions,
  SetOptions,
} from './cache/call-options.ts'
export type { CodecOptions, CompressionOptions, EncryptionOptions } from './cache/codec-options.ts'
export type { LoadContext, Loader } from './cache/load-context.ts'
export type { Outcome, SetResult } from './cache/write-through.ts'
export type { CreateCacheOptions, RedisConnection, RedisOptions, RedisSource } from './create-cache.ts'
export type { Isolation } from './entry/isolation.ts'
export type { RefreshAhead } from './entry/refresh-ahead.ts'
export type { OutputOf, SchemaIssue, SchemaResult, StandardSchema } from './entry/schema.ts'
export type { ErrorCode } from './errors.ts'
export type { Counters, Gauges, RequestCounters, Timings } from './counters/counters.ts'
export type { CacheEventName, CacheEvents, CacheListener, FarHealth, Observable, ServerHealth } from './events.ts'
export type { CallOutcome, CallTrace, CommandTrace, LoadTrace } from './tracing.ts'
export type { Duration, DurationParts } from './options.ts'
