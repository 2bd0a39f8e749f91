/** The thread of the embedded database: answers each call with its rows or its error. */
import { parentPort } from 'node:worker_threads'
import { openEmbedded } from './database.ts'
import { answerCall } from './remote-database.ts'
import type { Call } from './remote-database.ts'

const database = openEmbedded()

parentPort?.on('message', async (call: Call) => {
  const reply = await answerCall(database, call)
  parentPort?.postMessage(reply)
})
