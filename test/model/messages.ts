import type { CacheOptions } from '../../src/cache/cache-options.ts'
import type { RedisSource } from '../../src/create-cache.ts'
import type { InvalidationSubject } from '../../src/events.ts'
import type { Address } from '../doubles/redis-deployment.ts'
import type { Answer, Call } from './operations.ts'

/** What a process of the model is told at its start, as its one argument, in JSON. */
export interface WorkerStart {
  readonly process: string
  /** The folder of the compiled library that it uses. */
  readonly dist: string
  /** The package that `ioredis` stands for: its line 6, or its line 5. */
  readonly ioredis: 'ioredis' | 'ioredis5'
  /** The option `redis`, and where notices take another way than commands: faults of one do not touch the other. */
  readonly redis: RedisSource
  readonly subscriberNatMap: Readonly<Record<string, Address>>
  /** Where the ways for commands, and those for notices, begin: one for each server. */
  readonly commandsPorts: readonly number[]
  readonly subscriberPorts: readonly number[]
  readonly cache: CacheOptions
  /** Options of namespaces, by name. */
  readonly namespaces: Readonly<Record<string, object>>
  /** The instant that the history counts from, on the monotonic clock of the machine. */
  readonly epochMs: number
}

export type ToWorker =
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  | { readonly type: 'loaded'; readonly id: number; readonly version: number; readonly outcome: LoadOutcome }
  /** The event loop stands still. `asleep`: the monotonic clock of the process does too, as on a machine that sleeps. */
  | { readonly type: 'block'; readonly ms: number; readonly asleep: boolean }
  /** The wall clock of the process jumps. */
  | { readonly type: 'jump'; readonly ms: number }
  | { readonly type: 'state'; readonly id: number }

export type LoadOutcome = 'loaded' | 'failed' | 'skipped'

export type FromWorker =
  | { readonly type: 'ready' }
  | {
      readonly type: 'done'
      readonly id: number
      readonly start: number
      readonly end: number
      readonly stalledMs: number
      readonly answer?: Answer
      readonly acknowledged?: boolean
      readonly failed?: string
    }
  | { readonly type: 'load'; readonly id: number; readonly key: string }
  | {
      readonly type: 'load-ended'
      readonly key: string
      readonly version: number
      readonly outcome: LoadOutcome
      readonly start: number
      readonly end: number
    }
  | { readonly type: 'repeated'; readonly at: number; readonly subject: InvalidationSubject }
  /** The server at an end was found fit. */
  | { readonly type: 'arrived'; readonly at: number; readonly end: number }
  /** Redis did not answer a command in time. */
  | { readonly type: 'timeout'; readonly at: number }
  | { readonly type: 'stall'; readonly start: number; readonly end: number }
  | { readonly type: 'incident'; readonly at: number; readonly text: string }
  | {
      readonly type: 'state'
      readonly id: number
      readonly pending: readonly string[]
      readonly l2Usable: boolean
      readonly counters: Readonly<Record<string, number>>
    }
