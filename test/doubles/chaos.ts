import { TierCacheError } from '../../src/errors.ts'

/** One call of a port that a test holds back. */
export interface HeldCall {
  /** Resolves when the call has come; with a held answer, when it has been carried out too. */
  readonly arrived: Promise<void>
  /** Lets it go on. */
  release(): void
  /** Rejects it. A held call is then never carried out; of a held answer nobody learns that it was. */
  fail(): void
}

/** A port whose calls a test holds back on the way there or on the way back, or lets fail. */
export interface Chaos<Port extends object> {
  readonly port: Port
  /** Holds the next call of a method before it is carried out. */
  holdCall(method: keyof Port): HeldCall
  /** Carries the next call of a method out, and holds its answer back. */
  holdAnswer(method: keyof Port): HeldCall
  /** No call of a method is carried out, and each rejects, until the answer of this is called. */
  failing(method: keyof Port): () => void
}

type Call = () => Promise<unknown>
type Plan = (call: Call) => Promise<unknown>

/** Puts a port's calls into a test's hands. What is not planned passes as it is. */
export function chaosOf<Port extends object>(inner: Port): Chaos<Port> {
  const plans = new Map<PropertyKey, Plan[]>()
  const failing = new Set<PropertyKey>()
  const plan = (method: PropertyKey, each: Plan) => {
    plans.set(method, [...(plans.get(method) ?? []), each])
  }
  const port = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...values: unknown[]) => {
        const call = () => Reflect.apply(member, target, values) as Promise<unknown>
        if (failing.has(name)) return Promise.reject(lost(name))
        const planned = plans.get(name)?.shift()
        return planned ? planned(call) : call()
      }
    },
  })
  return {
    port,
    holdCall(method) {
      const { held, gate, came } = hold(method)
      plan(method, async (call) => {
        came()
        await gate
        return call()
      })
      return held
    },
    holdAnswer(method) {
      const { held, gate, came } = hold(method)
      plan(method, async (call) => {
        const outcome = await call()
        came()
        await gate
        return outcome
      })
      return held
    },
    failing(method) {
      failing.add(method)
      return () => void failing.delete(method)
    },
  }
}

function hold(method: PropertyKey) {
  let came = () => {}
  const arrived = new Promise<void>((resolve) => {
    came = resolve
  })
  let held: HeldCall | undefined
  const gate = new Promise<void>((resolve, reject) => {
    held = { arrived, release: () => resolve(), fail: () => reject(lost(method)) }
  })
  gate.catch(() => {})
  return { held: held as HeldCall, gate, came }
}

function lost(method: PropertyKey): TierCacheError {
  return new TierCacheError('ERR_REDIS_TIMEOUT', `${String(method)} was not answered`)
}
