import { Worker } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { databaseOver } from './remote-database.ts'

/** The one thing that the shop knows about Postgres. */
export interface Database {
  /** Runs one statement with parameters ($1, $2 …) and gives its rows. */
  query<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>
  /** Runs a script of several statements on one connection. */
  run(script: string): Promise<void>
  close(): Promise<void>
}

/** A Postgres server, when a URL is given; else a Postgres inside this process, empty at each start. */
export function openDatabase(url: string | undefined): Database {
  return url ? openServer(url) : openThread()
}

/** A Postgres server, over a pool of connections. */
function openServer(url: string): Database {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5000 })
  // An idle connection that breaks is replaced by the pool at the next query; without a listener it ends the process.
  pool.on('error', (error) => console.warn(`postgres: ${error.message}`))
  return {
    query: async <Row>(sql: string, params: readonly unknown[] = []) =>
      (await pool.query(sql, [...params])).rows as Row[],
    run: async (script) => {
      await pool.query(script)
    },
    close: () => pool.end(),
  }
}

/** Postgres compiled to WebAssembly, on the thread of the caller, which stands still while a query runs. */
export function openEmbedded(): Database {
  const engine = PGlite.create()
  return {
    query: async <Row>(sql: string, params: readonly unknown[] = []) =>
      (await (await engine).query<Row>(sql, [...params])).rows,
    run: async (script) => {
      await (await engine).exec(script)
    },
    close: async () => (await engine).close(),
  }
}

/** The embedded Postgres on a thread of its own, so that a slow query keeps nobody else waiting, as with a server. */
function openThread(): Database {
  const thread = new Worker(new URL('./database-thread.js', import.meta.url))
  return databaseOver({
    send: (call) => thread.postMessage(call),
    onReply: (listener) => void thread.on('message', listener),
    onEnd: (listener) =>
      void thread.on('error', listener).on('exit', () => listener(new Error('the database is closed'))),
    close: () => thread.terminate(),
  })
}
