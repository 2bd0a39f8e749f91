/** For so many resources a process remembers something; what is pushed out costs a load or a delayed end. */
const MOST_RESOURCES = 4096

/** The most variants of one resource. */
const MOST_VARIANTS = 16

/**
 * By which fields resources were seen to vary in this process, beyond what their stored rule said. A new rule starts
 * from them, so that responses that vary by different fields end up under one rule. Bounded.
 */
export class VaryWidths {
  readonly #fields = new Map<string, readonly string[]>()

  of(resourceKey: string): readonly string[] {
    return this.#fields.get(resourceKey) ?? []
  }

  widen(resourceKey: string, fields: readonly string[]): void {
    this.#fields.delete(resourceKey)
    this.#fields.set(resourceKey, fields)
    forgetOldest(this.#fields)
  }
}

interface Stored {
  readonly nonce: string
  /** In the order in which they were stored. */
  readonly keys: Set<string>
}

/**
 * The variants that this process has stored, by resource: at most 16 of one are kept, so that a field that each client sends
 * otherwise (`Vary: User-Agent`) fills no cache. Bounded.
 */
export class VariantCounts {
  readonly #stored = new Map<string, Stored>()

  /** Notes a variant that is stored. Answers the key of the one whose place it takes. */
  noted(resourceKey: string, nonce: string, key: string): string | undefined {
    const known = this.#stored.get(resourceKey)
    const stored = known?.nonce === nonce ? known : { nonce, keys: new Set<string>() }
    this.#stored.delete(resourceKey)
    this.#stored.set(resourceKey, stored)
    forgetOldest(this.#stored)
    stored.keys.delete(key)
    stored.keys.add(key)
    if (stored.keys.size <= MOST_VARIANTS) return undefined
    const [oldest] = stored.keys
    if (oldest !== undefined) stored.keys.delete(oldest)
    return oldest
  }
}

function forgetOldest(resources: Map<string, unknown>): void {
  if (resources.size <= MOST_RESOURCES) return
  for (const oldest of resources.keys()) {
    resources.delete(oldest)
    return
  }
}
