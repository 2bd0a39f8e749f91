import type { FaultProxy } from '../doubles/fault-proxy.ts'
import { startFaultProxy } from '../doubles/fault-proxy.ts'
import type { Address } from '../doubles/redis-deployment.ts'

/** What leads from one process to the servers, for commands or for notices: a fault proxy before each of them. */
export class Way {
  readonly #proxies: readonly FaultProxy[]

  private constructor(proxies: readonly FaultProxy[]) {
    this.#proxies = proxies
  }

  /** `ends`: looked at for each new connection. */
  static async start(ends: readonly Address[]): Promise<Way> {
    return new Way(await Promise.all(ends.map(startFaultProxy)))
  }

  /** Where it begins, for each server. */
  get ports(): readonly number[] {
    return this.#proxies.map(({ port }) => port)
  }

  /** The part of it that leads to one server. */
  to(end: number): Way {
    return new Way(this.#proxies.slice(end, end + 1))
  }

  async cut(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.cut()))
  }

  async heal(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.heal()))
  }

  hole(direction?: Parameters<FaultProxy['hole']>[0]): void {
    for (const proxy of this.#proxies) proxy.hole(direction)
  }

  release(how: Parameters<FaultProxy['release']>[0]): void {
    for (const proxy of this.#proxies) proxy.release(how)
  }

  delay(ms: number): void {
    for (const proxy of this.#proxies) proxy.delay(ms)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
  }
}
