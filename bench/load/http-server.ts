/** Serves one of the variants of `http-hits`: `http-server.js <variant> [fields of the reference]`. */
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { text } from 'node:stream/consumers'
import express from 'express'
import { createCache } from 'tiercache'
import { httpCache as expressCache } from 'tiercache/middleware/express'
import { accelerate } from 'tiercache/middleware/node'
import { collectGarbage } from '../harness/garbage.ts'
import { openHttpPeer } from '../harness/peers.ts'
import { answerQuestions } from '../harness/program.ts'
import { productOf } from '../micro/records.ts'
import type { Express } from 'express'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpPeerName } from '../harness/peers.ts'

/** What a client of this server gets. */
export interface Served {
  readonly url: string
  readonly body: string
  /** All names of fields, sorted. */
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

const variants = {
  httpCache,
  accelerate: accelerated,
  'bare route': bareRoute,
  'bare listener': bareListener,
  'uncached route': uncachedRoute,
  'cacheable route': cacheableRoute,
  apicache: () => peer('apicache'),
}

export type Variant = keyof typeof variants

const [, , variant, fields = '[]'] = process.argv
const server = createServer(await variants[variant as Variant](JSON.parse(fields) as Served['fields']))
let requests = 0
server.on('request', () => requests++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/products`

answerQuestions({ served, cpu, 'collect garbage': collectGarbage })

function httpCache(): Express {
  return express()
    .use(expressCache(createCache(), { ttl: '1h' }))
    .get('/products', (_req, res) => {
      res.json(products)
    })
}

function accelerated(): RequestListener {
  return accelerate(createCache(), uncachedRoute(), { ttl: '1h' })
}

function uncachedRoute(): Express {
  return express()
    .disable('x-powered-by')
    .get('/products', (_req, res) => {
      res.json(products)
    })
}

/** What a proxy in front may keep. */
function cacheableRoute(): Express {
  return express()
    .disable('x-powered-by')
    .get('/products', (_req, res) => {
      res.set('Cache-Control', 'public, max-age=3600').json(products)
    })
}

async function peer(name: HttpPeerName): Promise<Express> {
  const { middleware } = await openHttpPeer(name)
  let runs = 0
  return express()
    .disable('x-powered-by')
    .use(middleware())
    .get('/products', (_req, res) => {
      if (++runs > 1) throw new Error(`${name} has asked its route again`)
      res.json(products)
    })
}

function bareRoute(same: Served['fields']): Express {
  const body = Buffer.from(JSON.stringify(products))
  return express().get('/products', (_req, res) => {
    for (const [name, value] of same) res.setHeader(name, value)
    res.end(body)
  })
}

function bareListener(same: Served['fields']): RequestListener {
  const body = Buffer.from(JSON.stringify(products))
  const list = same.flat()
  return (_req, res) => {
    res.writeHead(200, list)
    res.end(body)
  }
}

async function served(): Promise<Served> {
  await fetched()
  const { fields, body } = await fetched()
  const status = fields.find(([name]) => name === 'Cache-Status')?.[1]
  if ((variant === 'httpCache' || variant === 'accelerate') && !status?.includes('hit'))
    throw new Error(`no hit: ${status}`)
  const names = fields.map(([name]) => name).sort()
  return { url, body, names, fields: fields.filter(([name]) => !ADDED_BY_SERVER.includes(name.toLowerCase())) }
}

/** A response with its fields as they are on the wire: Node is quicker with names in lower case. */
async function fetched(): Promise<Pick<Served, 'body' | 'fields'>> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage]
  const { rawHeaders } = response
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
  )
  return { fields, body: await text(response) }
}

function cpu(): Cpu {
  const { user, system } = process.cpuUsage()
  return { cpuUs: user + system, requests }
}
