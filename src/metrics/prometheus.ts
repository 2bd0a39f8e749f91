import { badValue, TierCacheError } from '../errors.ts'
import type { Observable } from '../events.ts'
import { definedOptions } from '../options.ts'
import type { Instrument, Sample } from './instruments.ts'
import { instruments } from './instruments.ts'

/** What is needed of a `Registry` of prom-client; each copy of prom-client 15 fits, with either content type. */
export interface MetricsRegister {
  registerMetric(metric: object): void
  getSingleMetric(name: string): unknown
  getMetricsAsArray(): readonly unknown[]
  removeSingleMetric(name: string): void
}

/** What {@link prometheus} takes. */
export interface PrometheusOptions {
  /** The `Registry` of prom-client that shows the metrics. */
  readonly register: MetricsRegister
  /** Stands before the name of every metric: letters, digits and `_`. Default: none. */
  readonly prefix?: string | undefined
  /**
   * The label `cache` of every series: 1 to 64 characters of `[A-Za-z0-9_.-]`. Caches that share a register and prefix
   * need names of their own. Default `'default'`.
   */
  readonly name?: string | undefined
}

/**
 * Shows the figures of a whole cache, all its namespaces, in a register of prom-client. Numbers are read when the
 * register is scraped; a request to the cache does nothing for them.
 *
 * Answers a function that takes the cache off the register again; closing the cache does not. Throws
 * `ERR_INVALID_ARGUMENT` for what is no cache, and for a cache that this register already shows (a namespace is the same
 * cache); `ERR_UNKNOWN_OPTION` or `ERR_INVALID_OPTION` for bad options, and for names that are taken in the register.
 *
 * @example
 * import { Registry } from 'prom-client'
 * import { createCache } from 'tiercache'
 * import { prometheus } from 'tiercache/metrics/prometheus'
 *
 * const register = new Registry()
 * prometheus(createCache(), { register })
 * console.log(await register.metrics())
 */
export function prometheus(cache: Observable, options: PrometheusOptions): () => void {
  checkCache(cache)
  const { register, prefix, name } = readPrometheusOptions(options)
  refuseShown(register, cache)
  const exposition = expositionIn(register, prefix)
  const source: Source = { name, cache }
  exposition.add(source)
  return () => exposition.remove(source)
}

interface PrometheusSettings {
  readonly register: MetricsRegister
  readonly prefix: string
  readonly name: string
}

const OPTION_NAMES = ['register', 'prefix', 'name']
const REGISTER_METHODS = ['registerMetric', 'getSingleMetric', 'getMetricsAsArray', 'removeSingleMetric'] as const
const PREFIX = /^([A-Za-z_][A-Za-z0-9_]*)?$/
const NAME = /^[A-Za-z0-9_.-]{1,64}$/

function readPrometheusOptions(options: PrometheusOptions): PrometheusSettings {
  const { register, prefix = '', name = 'default' } = definedOptions('prometheus', options, OPTION_NAMES)
  if (!isRegister(register)) throw badValue('ERR_INVALID_OPTION', 'register', 'a Registry of prom-client', register)
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw badValue('ERR_INVALID_OPTION', 'prefix', 'letters, digits and _, no digit first', prefix)
  }
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw badValue('ERR_INVALID_OPTION', 'name', '1 to 64 characters of [A-Za-z0-9_.-]', name)
  }
  return Object.freeze({ register, prefix, name })
}

function isRegister(register: MetricsRegister | undefined): boolean {
  return REGISTER_METHODS.every((method) => typeof register?.[method] === 'function')
}

function checkCache(cache: Observable): void {
  if (typeof cache?.gauges !== 'function' || !(cache.counters?.requests instanceof Map)) {
    throw badValue('ERR_INVALID_ARGUMENT', 'cache', 'a cache made by createCache', cache)
  }
}

/** Twice in one register, under whatever names, everything would be counted twice. */
function refuseShown(register: MetricsRegister, cache: Observable): void {
  for (const metric of register.getMetricsAsArray()) {
    const shown = metric instanceof ScrapedMetric ? metric.exposition.sourceOf(cache) : undefined
    if (!shown) continue
    throw new TierCacheError(
      'ERR_INVALID_ARGUMENT',
      `cache: expected one that this register does not show yet, got the cache that it shows as '${shown.name}'`,
    )
  }
}

/** A cache under its name. */
interface Source {
  readonly name: string
  readonly cache: Observable
}

/**
 * What a register shows under a prefix. It is found by the metrics that stand in the register, so that one which was
 * cleared by its owner is simply not there.
 */
function expositionIn(register: MetricsRegister, prefix: string): Exposition {
  let found: Exposition | undefined
  for (const { name } of instruments) {
    const metric = register.getSingleMetric(prefix + name)
    if (metric instanceof ScrapedMetric && metric.exposition.register === register) found = metric.exposition
    else if (metric !== undefined) {
      throw new TierCacheError(
        'ERR_INVALID_OPTION',
        `prefix: expected one whose names are free in the register, got '${prefix}', and '${prefix + name}' is another's`,
      )
    }
  }
  return found ?? new Exposition(register, prefix)
}

/** The metrics of one register and prefix, and the caches that they show. */
class Exposition {
  readonly sources = new Set<Source>()
  readonly register: MetricsRegister
  /** By the names under which they stand in the register. */
  readonly #metrics: ReadonlyMap<string, ScrapedMetric>

  constructor(register: MetricsRegister, prefix: string) {
    this.register = register
    this.#metrics = new Map(instruments.map((each) => [prefix + each.name, new ScrapedMetric(this, each, prefix)]))
  }

  sourceOf(cache: Observable): Source | undefined {
    return [...this.sources].find((source) => source.cache.counters === cache.counters)
  }

  add(source: Source): void {
    if ([...this.sources].some(({ name }) => name === source.name)) {
      throw new TierCacheError(
        'ERR_INVALID_OPTION',
        `name: expected one that no other cache has in this register, got '${source.name}'`,
      )
    }
    this.sources.add(source)
    for (const [name, metric] of this.#metrics) {
      if (this.register.getSingleMetric(name) === undefined) this.register.registerMetric(metric)
    }
  }

  remove(source: Source): void {
    this.sources.delete(source)
    if (this.sources.size > 0) return
    for (const [name, metric] of this.#metrics) {
      if (this.register.getSingleMetric(name) === metric) this.register.removeSingleMetric(name)
    }
  }
}

/** A number of a scrape, as prom-client keeps it. */
interface Value {
  readonly metricName: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric as prom-client's registers want it: they ask `get` at each scrape. */
class ScrapedMetric {
  /** Not readonly: a register that speaks OpenMetrics takes `_total` off, and adds it to each line. */
  name: string
  readonly help: string
  readonly type: Instrument['kind']
  /** How workers of `node:cluster` are put together. */
  readonly aggregator = 'sum'
  readonly exposition: Exposition
  readonly #instrument: Instrument
  readonly #zeros = new WeakMap<Source, ReadonlyMap<string, number>>()

  constructor(exposition: Exposition, instrument: Instrument, prefix: string) {
    this.exposition = exposition
    this.name = prefix + instrument.name
    this.help = instrument.help
    this.type = instrument.kind
    this.#instrument = instrument
  }

  /** Reads before it first waits, so that all metrics of a scrape are of one instant. */
  async get() {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: [...this.exposition.sources].flatMap((each) => this.#values(each)) }
  }

  /**
   * Lets counters begin at 0 again in this register; gauges stay what they are. The cache's own numbers are not touched:
   * they may be shown elsewhere.
   */
  reset(): void {
    if (this.type === 'gauge') return
    for (const source of this.exposition.sources) {
      const samples = this.#instrument.read(source.cache)
      this.#zeros.set(source, new Map(samples.map((sample) => [identity(sample), sample.value])))
    }
  }

  #values(source: Source): Value[] {
    const zeros = this.#zeros.get(source)
    return this.#instrument.read(source.cache).map((sample) => ({
      metricName: sample.suffix === '' ? undefined : this.name + sample.suffix,
      labels: { cache: source.name, ...sample.labels },
      value: sample.value - (zeros?.get(identity(sample)) ?? 0),
    }))
  }
}

function identity({ suffix, labels }: Sample): string {
  return [suffix, ...Object.values(labels)].join(' ')
}
