import { once } from 'node:events'
import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'

let asked = 0

/** Asks for `count` URLs of so many bytes that nobody asked for before, over `connections`. Answers how long it took, in ms. */
export async function askForNew(origin: string, bytes: number, count: number, connections: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const startedAt = performance.now()
  let left = count
  const client = async () => {
    while (left-- > 0) {
      const got = await bytesOf(`${origin}/${bytes}/${asked++}`, agent)
      if (got !== bytes) throw new Error(`${got} bytes in place of ${bytes}`)
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  agent.destroy()
  return performance.now() - startedAt
}

async function bytesOf(url: string, agent: Agent): Promise<number> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage]
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await once(response, 'end')
  return bytes
}
