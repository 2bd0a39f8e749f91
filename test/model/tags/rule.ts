/**
 * What a run may break.
 *
 * - `P3`: a value that is older than the last invalidation of its key, of one of its tags or namespaces.
 * - `P4`: two holders of one lease, or a store by who holds none.
 * - `P7`: absence, or something foreign, taken for "fresh".
 * - `soft`: a value that was made stale, and comes out as fresh.
 * - `sum`: an increment that was lost, or counted twice.
 * - `chain`: the chain's number went back, or is none.
 * - `ttl`: a stamp that ends before an entry that carries it.
 * - `error`: something was thrown.
 * - `useful`: nothing forbids it, and it was refused all the same.
 */
export type Rule = 'P3' | 'P4' | 'P7' | 'soft' | 'sum' | 'chain' | 'ttl' | 'error' | 'useful'

/** What may come out of a step, and which rule anything else breaks. */
export interface Expected {
  readonly words: readonly string[]
  readonly rule: Rule
  readonly because: string
}

/** Something else came out. */
export class Contradiction extends Error {
  readonly rule: Rule

  constructor(rule: Rule, text: string) {
    super(text)
    this.rule = rule
  }
}

/** Answers the word that came out. Throws a {@link Contradiction} when it is none of those expected. */
export function expectWord({ words, rule, because }: Expected, word: string): string {
  if (words.includes(word)) return word
  throw new Contradiction(rule, `expected ${words.join(' or ')} (${because}), got ${word}`)
}
