import { checkTags } from '../entry/key.ts'

/** How tags are told from a value, by what goes along with it: the context of its load, or the options of its `set`. */
const tellers = new WeakMap<object, (value: unknown) => unknown>()

/** Has tags told from the value that comes with `companion`, once that has passed its schema. */
export function tellTags(companion: object, tell: (value: unknown) => unknown): void {
  tellers.set(companion, tell)
}

/** The tags that are told from this value, if any shall be. Throws `ERR_INVALID_TAG`, or what the user's function throws. */
export function toldTags(companion: object | undefined, value: unknown): readonly string[] | undefined {
  const tell = companion && tellers.get(companion)
  return tell && value !== undefined ? checkTags(tell(value)) : undefined
}
