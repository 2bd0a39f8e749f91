import {
  ROOT_NAMESPACE,
  bucketGroup,
  bucketOf,
  checkKey,
  localId,
  namespaceGroup,
  namespacesAbove,
  namespaceWithin,
} from '../entry/key.ts'
import { schemaVersionOf } from '../entry/schema-version.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { NearHome } from '../tiers/near-entry.ts'
import type { DefaultOptions, DefaultSettings, EntrySettings } from './call-options.ts'
import { checkTiers, readDefaultOptions } from './call-options.ts'
import type { Parts, Target } from './parts.ts'

/** A part of the keys of a cache: what they are called, and what holds for all of them. */
export class Namespace {
  /** The full name; `_` for the root. */
  readonly name: string
  readonly isRoot: boolean
  readonly defaults: DefaultSettings
  readonly requests: RequestCounters
  readonly parts: Parts
  /** Whether a fresh value of L2 answers its calls whatever else is there: nothing is to be checked, or renewed ahead. */
  readonly looksDo: boolean
  readonly #groups: readonly string[]
  readonly #schemaVersion: string | undefined
  /** By bucket, made as they are needed. */
  readonly #homes: (NearHome | undefined)[]

  constructor(parts: Parts, name = ROOT_NAMESPACE, defaults: DefaultSettings = parts.settings.defaults) {
    this.parts = parts
    this.name = name
    this.isRoot = name === ROOT_NAMESPACE
    this.defaults = defaults
    this.looksDo = !defaults.schema && defaults.refreshAhead === false && defaults.tiers === 'all'
    this.#schemaVersion = versionOf(defaults)
    this.requests = parts.counters.requestsOf(name)
    this.#groups = namespacesAbove(name).map(namespaceGroup)
    this.#homes = Array.from({ length: parts.bus.buckets })
  }

  /** One below this, with defaults of its own over those of this. Throws `ERR_INVALID_NAMESPACE` or for bad options. */
  within(name: string, defaults: DefaultOptions | undefined): Namespace {
    const settings = this.kept(readDefaultOptions('namespace', defaults, this.defaults))
    return new Namespace(this.parts, namespaceWithin(this.name, name), settings)
  }

  /** Settings of a value that can be kept as they say. Throws `ERR_INVALID_OPTION` where there is no L1 for `tiers: 'l1'`. */
  kept<Settings extends EntrySettings>(settings: Settings): Settings {
    return checkTiers(settings, this.parts.near !== undefined)
  }

  /**
   * The name of a key in this process; nothing is checked. For a key of the root that begins with NUL it may be the name of
   * an entry below, which is told by its home: to look at the key would cost more than to look at that.
   */
  idOf(key: string): string {
    return this.isRoot ? key : localId(this.name, key)
  }

  /** A key of this namespace. Throws `ERR_INVALID_KEY`, or `ERR_CLOSED` when the cache was closed. */
  target(key: string): Target {
    checkKey(key)
    this.assertOpen()
    const id = localId(this.name, key)
    const bucket = bucketOf(id, this.#homes.length)
    const home = this.#homeOf(bucket)
    return {
      namespace: this.name,
      key,
      id,
      bucket,
      groups: home.groups,
      home,
      schemaVersion: this.#schemaVersion,
    }
  }

  #homeOf(bucket: number): NearHome {
    let home = this.#homes[bucket]
    if (!home) {
      const groups = this.#homes.length === 1 ? this.#groups : [...this.#groups, bucketGroup(bucket)]
      home = { isRoot: this.isRoot, bucket, currency: this.parts.bus.currency(bucket), groups }
      this.#homes[bucket] = home
    }
    return home
  }

  /** Throws `ERR_CLOSED` when the cache was closed. */
  assertOpen(): void {
    this.parts.life.assertOpen()
  }
}

/** Where it goes by the schema, there is none without one. */
function versionOf({ schema, schemaVersion }: DefaultSettings): string | undefined {
  if (schemaVersion !== 'auto') return schemaVersion
  return schema && schemaVersionOf(schema)
}
