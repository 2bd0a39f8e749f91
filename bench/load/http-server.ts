/** Serves one of the two variants of `http-hit-express`: `http-server.js <variant> [fields of the reference]`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { createCache } from 'tiercache'
import { httpCache } from 'tiercache/middleware/express'
import { collectGarbage } from '../harness/garbage.ts'
import { answerQuestions } from '../harness/program.ts'
import { productOf } from '../micro/records.ts'
import type { Express } from 'express'
import type { AddressInfo } from 'node:net'

/** What a client of this server gets. */
export interface Served {
  readonly url: string
  readonly body: string
  /** All names of fields, in their order. */
  readonly names: readonly string[]
  /** The fields that an application must set to send the same; Express and Node add the others. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

export interface Cpu {
  readonly cpuUs: number
  readonly requests: number
}

const ADDED_BY_SERVER = ['x-powered-by', 'date', 'connection', 'keep-alive']
const products = Array.from({ length: 34 }, (_, id) => productOf(id))

const [, , variant, fields = '[]'] = process.argv
const app = variant === 'httpCache' ? cached() : bare(JSON.parse(fields) as Served['fields'])
const server = createServer(app)
let requests = 0
server.on('request', () => requests++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/products`

answerQuestions({ served, cpu, 'collect garbage': collectGarbage })

function cached(): Express {
  return express()
    .use(httpCache(createCache(), { ttl: '1h' }))
    .get('/products', (_req, res) => {
      res.json(products)
    })
}

function bare(same: Served['fields']): Express {
  const body = Buffer.from(JSON.stringify(products))
  return express().get('/products', (_req, res) => {
    for (const [name, value] of same) res.setHeader(name, value)
    res.end(body)
  })
}

async function served(): Promise<Served> {
  await (await fetch(url)).text()
  const response = await fetch(url)
  const body = await response.text()
  const names = [...response.headers.keys()]
  if (variant === 'httpCache' && !response.headers.get('cache-status')?.includes('hit')) {
    throw new Error(`no hit: ${response.headers.get('cache-status')}`)
  }
  return { url, body, names, fields: [...response.headers].filter(([name]) => !ADDED_BY_SERVER.includes(name)) }
}

function cpu(): Cpu {
  const { user, system } = process.cpuUsage()
  return { cpuUs: user + system, requests }
}
