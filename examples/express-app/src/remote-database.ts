import type { Database } from './database.ts'

/** What goes to a database on another thread or in another process, and what comes back. */
export interface Call {
  readonly id: number
  readonly sql: string
  /** Absent for a script. */
  readonly params?: readonly unknown[]
}
export type Reply = { readonly id: number; readonly rows: unknown[] } | { readonly id: number; readonly error: string }

/** The way to such a database. */
export interface Channel {
  send(call: Call): void
  onReply(listener: (reply: Reply) => void): void
  /** Nothing more will come. */
  onEnd(listener: (error: Error) => void): void
  close(): Promise<unknown>
}

/** The database at the other end of a channel. */
export function databaseOver(channel: Channel): Database {
  const waiting = new Map<number, { resolve(rows: unknown[]): void; reject(error: Error): void }>()
  let calls = 0
  let ended: Error | undefined

  const call = (sql: string, params?: readonly unknown[]): Promise<unknown[]> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended)
      const id = ++calls
      waiting.set(id, { resolve, reject })
      channel.send({ id, sql, ...(params && { params }) })
    })

  channel.onReply((reply) => {
    const caller = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('rows' in reply) caller?.resolve(reply.rows)
    else caller?.reject(new Error(reply.error))
  })
  channel.onEnd((error) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  })
  return {
    query: <Row>(sql: string, params: readonly unknown[] = []) => call(sql, params) as Promise<Row[]>,
    run: async (script) => {
      await call(script)
    },
    close: async () => {
      await channel.close()
    },
  }
}

/** The other end: asks the database itself. */
export async function answerCall(database: Database, { id, sql, params }: Call): Promise<Reply> {
  try {
    if (params) return { id, rows: await database.query(sql, params) }
    await database.run(sql)
    return { id, rows: [] }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}
