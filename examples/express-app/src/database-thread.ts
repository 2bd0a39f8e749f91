/** The thread of the embedded database: answers each call of `database.ts` with its rows or its error. */
import { parentPort } from 'node:worker_threads'
import { openEmbedded } from './database.ts'
import type { Call, Reply } from './database.ts'

const database = openEmbedded()

parentPort?.on('message', async ({ id, sql, params }: Call) => {
  const reply = await answer(id, sql, params)
  parentPort?.postMessage(reply)
})

async function answer(id: number, sql: string, params: readonly unknown[] | undefined): Promise<Reply> {
  try {
    if (params) return { id, rows: await database.query(sql, params) }
    await database.run(sql)
    return { id, rows: [] }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}
