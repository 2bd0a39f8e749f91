import { badValue } from '../errors.ts'

/** How deep objects and arrays may hold each other; deeper ones are likely to hold themselves. */
const DEPTH_MOST = 32

const EXPECTED =
  'a text, a finite number, a bigint, a boolean, or an array or plain object of these; for anything else give `key`'

/**
 * The key that stands for an id: the text that JSON has for it, with the names of objects in order, and a bigint with an `n`
 * behind it. Different ids have different keys: 1 is not '1'. A name of an object whose value is `undefined` counts as absent.
 * Throws `ERR_INVALID_ARGUMENT`.
 */
export function keyOfId(id: unknown): string {
  if (id === undefined || id === null) throw badValue('ERR_INVALID_ARGUMENT', 'id', EXPECTED, id)
  return textOf('id', id, 0)
}

/** The key that stands for the arguments of a call. `undefined` is a value here, but at their end it counts as absent. */
export function keyOfArguments(args: readonly unknown[]): string {
  let length = args.length
  while (length > 0 && args[length - 1] === undefined) length--
  return textOf('argument', args.slice(0, length), 0)
}

function textOf(name: string, value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw badValue('ERR_INVALID_ARGUMENT', name, EXPECTED, value)
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (depth === DEPTH_MOST) {
        throw badValue('ERR_INVALID_ARGUMENT', name, `objects in objects at most ${DEPTH_MOST} deep`, value)
      }
      if (Array.isArray(value)) return `[${Array.from(value, (item) => textOf(name, item, depth + 1)).join()}]`
      if (isPlain(value)) return `{${textOfEntries(name, value, depth + 1)}}`
      throw badValue('ERR_INVALID_ARGUMENT', name, EXPECTED, value)
    default:
      throw badValue('ERR_INVALID_ARGUMENT', name, EXPECTED, value)
  }
}

function textOfEntries(name: string, value: Readonly<Record<string, unknown>>, depth: number): string {
  return Object.keys(value)
    .filter((each) => value[each] !== undefined)
    .sort()
    .map((each) => `${JSON.stringify(each)}:${textOf(name, value[each], depth)}`)
    .join()
}

/** Whether an object is all that its names say. */
function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isBare = prototype === null || Object.getPrototypeOf(prototype) === null
  return isBare && Object.getOwnPropertySymbols(value).length === 0
}
