/** The database of `db-load`: one embedded Postgres, filled, that the shops in other processes ask over a socket. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { openEmbedded } from '../../examples/express-app/src/database.ts'
import { seed } from '../../examples/express-app/src/seed.ts'
import { answerQuestions } from '../harness/program.ts'
import type { AddressInfo, Socket } from 'node:net'
import type { Database } from '../../examples/express-app/src/database.ts'
import type { Call, Reply } from '../../examples/express-app/src/remote-database.ts'

const database = openEmbedded()
await seed(database)
const server = createServer((socket) => serve(socket, database))
server.listen(0, '127.0.0.1')
await once(server, 'listening')

answerQuestions({ port: () => (server.address() as AddressInfo).port })

/** A line of JSON for each call, and one for its reply. */
function serve(socket: Socket, engine: Database): void {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  createInterface({ input: socket }).on('line', async (line) => {
    const reply = await answer(engine, JSON.parse(line) as Call)
    socket.write(`${JSON.stringify(reply)}\n`)
  })
}

async function answer(engine: Database, { id, sql, params }: Call): Promise<Reply> {
  try {
    return { id, rows: await engine.query(sql, params) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}
