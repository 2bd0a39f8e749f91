import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { openDatabase } from '../../examples/express-app/src/database.ts'
import type { Database } from '../../examples/express-app/src/database.ts'
import type { Call, Reply } from '../../examples/express-app/src/remote-database.ts'

/** Where the shops find their database. */
export type DatabasePlace = { readonly url: string } | { readonly port: number }

/** A Postgres server, or the embedded one in another process (`database-process.ts`). */
export async function openPlace(place: DatabasePlace): Promise<Database> {
  return 'url' in place ? openDatabase(place.url) : openSocket(place.port)
}

async function openSocket(port: number): Promise<Database> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  const waiting = new Map<number, { resolve(rows: unknown[]): void; reject(error: Error): void }>()
  let calls = 0
  createInterface({ input: socket }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply
    const caller = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('rows' in reply) caller?.resolve(reply.rows)
    else caller?.reject(new Error(reply.error))
  })
  const query = (sql: string, params: readonly unknown[] = []) =>
    new Promise<unknown[]>((resolve, reject) => {
      const id = ++calls
      waiting.set(id, { resolve, reject })
      socket.write(`${JSON.stringify({ id, sql, params } satisfies Call)}\n`)
    })
  return {
    query: <Row>(sql: string, params?: readonly unknown[]) => query(sql, params) as Promise<Row[]>,
    run: async (script) => {
      await query(script)
    },
    close: async () => void socket.destroy(),
  }
}
