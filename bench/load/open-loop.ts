import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Visit } from './shop-load.ts'

/**
 * Sends each visit at its time, whether those before it are answered or not. Answers how long each took from the time
 * at which it should have been sent, so that a server that stands still is charged with all whom it kept waiting.
 */
export async function runVisits(visits: readonly Visit[], urls: readonly string[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const startedAt = performance.now()
  try {
    return await Promise.all(
      visits.map(async (visit) => {
        await sleep(visit.atMs)
        const status = await send(visit, urls[visit.shop] as string, agent)
        if (status !== 200) throw new Error(`${visit.method} ${visit.path} was answered by ${status}`)
        return performance.now() - startedAt - visit.atMs
      }),
    )
  } finally {
    agent.destroy()
  }
}

function send({ method, path, body }: Visit, url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
    const outgoing = request(`${url}${path}`, { method, agent, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', reject)
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
