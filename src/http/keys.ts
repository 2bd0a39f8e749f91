import { digest, resourceOf } from './request-key.ts'
import type { HttpRequest } from './message.ts'
import type { KeySettings } from './request-key.ts'

/** A resource, and the key under which it stands. */
export interface Named {
  readonly resource: string
  readonly resourceKey: string
}

/** What is remembered of a request: all that its resource is made of. */
interface Known extends Named {
  readonly scheme: string
  readonly host: string | undefined
}

/** Turns resources, classes and variants into keys (SHA-256), and remembers those asked for lately. */
export class Keys {
  readonly #keys = new Generations<string>()
  readonly #byTarget = new Generations<Known>()

  /** The key of a text. */
  of(text: string): string {
    if (text.length > LONGEST_REMEMBERED) return digest(text)
    const known = this.#keys.get(text)
    if (known !== undefined) return known
    const key = digest(text)
    this.#keys.set(text, key)
    return key
  }

  /** The resource that a request names; `undefined` as for {@link resourceOf}. Of one target the last origin is remembered. */
  named(request: HttpRequest, settings: KeySettings): Named | undefined {
    const { method, scheme, host, target } = request
    if (method === 'QUERY' || settings.keyHeaders.length > 0 || target.length > LONGEST_REMEMBERED) {
      return this.#name(request, settings)
    }
    const known = this.lately(scheme, host, target)
    if (known !== undefined) return known
    const resource = resourceOf(request, settings)
    if (resource === undefined) return undefined
    const named: Known = { resource, resourceKey: digest(resource), scheme, host }
    this.#byTarget.set(target, named)
    return named
  }

  /** As {@link Keys.named} for a GET, from memory alone. */
  lately(scheme: string, host: string | undefined, target: string): Named | undefined {
    const known = this.#byTarget.get(target)
    return known !== undefined && known.host === host && known.scheme === scheme ? known : undefined
  }

  #name(request: HttpRequest, settings: KeySettings): Named | undefined {
    const resource = resourceOf(request, settings)
    return resource === undefined ? undefined : { resource, resourceKey: this.of(resource) }
  }
}

const LONGEST_REMEMBERED = 512
const GENERATION = 2048

/** Two generations of what was asked for lately: a flood of new ones pushes out what is old, and nothing grows. */
class Generations<V> {
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  get(name: string): V | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  set(name: string, value: V): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, value)
  }
}
