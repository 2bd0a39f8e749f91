import type { HeadOrders, Watcher } from '../../src/http/exchange.ts'
import type { Fields, ResponseHead } from '../../src/http/message.ts'

/** A watcher that notes what it is shown. */
export class Noting implements Watcher {
  hidesConditionals = false
  mayReplace = false
  watchesBody = true
  holdsEnd = false
  readonly notes: string[] = []
  heads: ResponseHead[] = []
  readonly changed: Fields[] = []
  orders: Partial<HeadOrders> = { watchBody: true }
  held: Promise<unknown> | undefined
  wants = true

  head(head: ResponseHead): HeadOrders {
    this.notes.push(`head ${head.status}`)
    this.heads.push(head)
    return { status: head.status, without: [], set: [], watchBody: false, ...this.orders }
  }

  headChanged(fields: Fields): void {
    this.changed.push(fields)
  }

  chunk(bytes: Uint8Array): boolean {
    this.notes.push(`chunk ${Buffer.from(bytes)}`)
    return this.wants
  }

  beforeEnd(): Promise<unknown> | undefined {
    return this.held
  }

  over(complete: boolean): void {
    this.notes.push(complete ? 'complete' : 'over')
  }

  setTtl(): void {}

  skip(): void {
    this.notes.push('skip')
  }

  addTags(): void {}

  refine(): void {}
}
