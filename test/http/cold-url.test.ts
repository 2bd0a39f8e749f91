import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis } from '../doubles/redis.ts'
import type { ChildProcess } from 'node:child_process'
import type { RedisServer } from '../doubles/redis.ts'

const PROGRAM = join(import.meta.dirname, '../../build/test/http/cold-url.program.js')
const PROCESSES = 8
const CLIENTS = 100

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** A process, and what it has told. */
interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly told: { asked: number; runs: number }
}

async function startServer(changed: () => void): Promise<Server> {
  const child = fork(PROGRAM, [redis.url, 'cold'])
  const told = { asked: 0, runs: 0 }
  child.on('message', ({ word }: { word: string }) => {
    if (word === 'asked') told.asked++
    if (word === 'run') told.runs++
    changed()
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port, told }
}

async function ask(
  agent: Agent,
  port: number,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const request = get({ agent, port, path: '/cold', headers: { Host: 'shop.example' } })
  const [response] = await once(request, 'response')
  return { status: response.statusCode, body: await text(response) }
}

test(`${PROCESSES} processes with ${CLIENTS} clients each at one cold URL run the handler once`, async () => {
  let changed = (): void => {}
  const servers = await Promise.all(Array.from({ length: PROCESSES }, () => startServer(() => changed())))
  const agent = new Agent({ keepAlive: true })
  try {
    const sum = (what: 'asked' | 'runs') => servers.reduce((total, { told }) => total + told[what], 0)
    const allThere = new Promise<void>((resolve) => {
      changed = () => {
        if (sum('asked') === PROCESSES * CLIENTS && sum('runs') > 0) resolve()
      }
    })
    const answers = servers.flatMap(({ port }) => Array.from({ length: CLIENTS }, () => ask(agent, port)))
    await allThere
    for (const { child } of servers) child.send('answer')
    const got = await Promise.all(answers)
    expect(sum('runs')).toBe(1)
    expect(new Set(got.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(got.map(({ body }) => body)).size).toBe(1)
  } finally {
    agent.destroy()
    for (const { child } of servers) child.disconnect()
    await Promise.all(servers.map(({ child }) => child.exitCode ?? once(child, 'exit')))
  }
}, 120_000)
