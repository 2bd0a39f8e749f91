import { keyOfArguments, keyOfId } from '../entry/key-of.ts'
import type { StandardSchema } from '../entry/schema.ts'
import { badValue } from '../errors.ts'
import { definedOptions } from '../options.ts'
import type { DefaultOptions } from './call-options.ts'
import { DEFAULT_NAMES } from './call-options.ts'
import type { Definition, HandleManyContext } from './handle.ts'
import type { LoadContext } from './load-context.ts'

/** What holds for the values of a handle or a wrapped function, beside how they are named and loaded. */
type ValueOptions = Omit<DefaultOptions, 'tags' | 'schema'>

/** What `define` takes. `Loaded` is what loaders answer; `T` what the `schema` makes of it; `Stale` what is cached already. */
export interface DefineOptions<Id, Loaded, T = Loaded, Stale = T> extends ValueOptions {
  /** The namespace that the values live in. */
  readonly name: string
  /**
   * The key of an id; different ids must have different keys. Default: the text that JSON has for it, with names in order, for
   * texts, finite numbers, bigints, booleans, and arrays and plain objects of these: `7`, `"7"`, `{"shop":1,"user":7}`.
   */
  readonly key?: ((id: Id) => string) | undefined
  /** Loads one value. */
  readonly load?: ((id: Id, context: LoadContext<Stale>) => Loaded | Promise<Loaded>) | undefined
  /**
   * Loads many: those that `getMany` misses, and those that are asked for in one turn and miss. What it does not answer is
   * loaded by `load`, if there is one: let it answer `null` for what does not exist.
   */
  readonly loadMany?:
    | ((ids: Id[], context: HandleManyContext<Id>) => HandleValues<Id, Loaded> | Promise<HandleValues<Id, Loaded>>)
    | undefined
  /** The tags of each value, or how to tell them from it, as its `schema` makes it. */
  readonly tags?: readonly string[] | ((value: NoInfer<T>, id: Id) => readonly string[]) | undefined
  /** See `EntryOptions`. Values are of the type that it makes. */
  readonly schema?: StandardSchema<unknown, T> | undefined
}

/** With a way to load each value. */
export interface LoadsOne<Id, Loaded, Stale> {
  readonly load: (id: Id, context: LoadContext<Stale>) => Loaded | Promise<Loaded>
}

/** With a way to load many values, and none for one: it may know nothing of an id. */
export interface LoadsMany<Id, Loaded> {
  readonly load?: undefined
  readonly loadMany: (
    ids: Id[],
    context: HandleManyContext<Id>,
  ) => HandleValues<Id, Loaded> | Promise<HandleValues<Id, Loaded>>
}

/** Values by their ids: a Map, or a plain object, with the ids as texts. */
export type HandleValues<Id, T> = ReadonlyMap<Id, T> | { readonly [id: string]: T }

/** What `wrap` takes. */
export interface WrapOptions<Args extends readonly unknown[], T> extends ValueOptions {
  /**
   * The namespace that the results live in, which must be one of one function only. Default: the name of the function; give one
   * where code is minified.
   */
  readonly name?: string | undefined
  /** The key of a call. Default: the text that JSON has for its arguments, as in `define`. */
  readonly key?: ((...args: Args) => string) | undefined
  /** The tags of each result, or how to tell them from it, as its `schema` makes it. */
  readonly tags?: readonly string[] | ((value: T, ...args: Args) => readonly string[]) | undefined
  /** See `EntryOptions`. */
  readonly schema?: StandardSchema<unknown, T> | undefined
}

/** A function of whatever type. */
export type AnyFunction = (this: never, ...args: never[]) => unknown

/** A call of a wrapped function. */
export interface Call {
  readonly self: unknown
  readonly args: readonly unknown[]
}

export interface HandleSettings<Id> {
  readonly name: string
  readonly definition: Definition<Id>
  /** What is left for the namespace to read. */
  readonly defaults: DefaultOptions
}

/** What `define` and `wrap` take, of whatever type. */
export interface AnyDefineOptions extends AnyWrapOptions {
  readonly name: string
  readonly load?: unknown
  readonly loadMany?: unknown
}
export interface AnyWrapOptions extends ValueOptions {
  readonly name?: string | undefined
  readonly key?: unknown
  readonly tags?: unknown
  readonly schema?: StandardSchema | undefined
}

/** Reads the options of `define`. Those of its namespace are not read yet. */
export function readDefineOptions<Id>(options: AnyDefineOptions): HandleSettings<Id> {
  if (options === undefined) throw badValue('ERR_INVALID_ARGUMENT', 'options', 'an object of options', options)
  const names = ['name', 'key', 'load', 'loadMany', ...DEFAULT_NAMES]
  const { name, key, load, loadMany, tags, ...defaults } = definedOptions('define', options, names)
  const definition = {
    keyOf: readFunction('key', key) ?? keyOfId,
    load: readFunction('load', load),
    loadMany: readFunction('loadMany', loadMany),
    tags: typeof tags === 'function' ? tags : undefined,
  } as Definition<Id>
  if (name === undefined) throw badValue('ERR_INVALID_NAMESPACE', 'name', 'the namespace of the values', name)
  if (!load && !loadMany) throw badValue('ERR_INVALID_OPTION', 'load', 'a function, or one as loadMany', load)
  return { name, definition, defaults: withTags(defaults, tags) }
}

/** Reads the options of `wrap`. Those of its namespace are not read yet. */
export function readWrapOptions(fn: AnyFunction, options: AnyWrapOptions | undefined): HandleSettings<Call> {
  const { name = fn.name, key, tags, ...defaults } = definedOptions('wrap', options, ['name', 'key', ...DEFAULT_NAMES])
  if (name === '') throw badValue('ERR_INVALID_NAMESPACE', 'name', 'a name, since the function has none', name)
  const named = readFunction('key', key) as ((...args: readonly unknown[]) => string) | undefined
  const definition: Definition<Call> = {
    keyOf: ({ args }) => (named ? named(...args) : keyOfArguments(args)),
    load: ({ self, args }) => Reflect.apply(fn, self, args),
    loadMany: undefined,
    tags: typeof tags === 'function' ? (value, { args }) => tags(value, ...(args as never[])) : undefined,
  }
  return { name, definition, defaults: withTags(defaults, tags) }
}

/** The nearest tags hold: those that are told from a value are in place of those of the namespaces above. */
function withTags(defaults: Omit<DefaultOptions, 'tags'>, tags: unknown): DefaultOptions {
  return { ...defaults, tags: typeof tags === 'function' ? [] : (tags as readonly string[] | undefined) }
}

function readFunction<F>(name: string, value: F): F {
  if (value !== undefined && typeof value !== 'function')
    throw badValue('ERR_INVALID_OPTION', name, 'a function', value)
  return value
}
