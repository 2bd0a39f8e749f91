import { accelerate } from 'tiercache/middleware/node'
import { createApp } from './app.ts'
import { serverTiming } from './server-timing.ts'
import type { RequestListener } from 'node:http'
import type { Parts } from './app.ts'

/**
 * The whole shop, from outside to inside: what is to see every request, the cache, and the app, which a hit never enters.
 *
 * The app says of each page whether and how long it is kept. Other parameters than those that it reads, such as
 * `utm_source`, make no pages of their own.
 */
export function createShop(parts: Parts): RequestListener {
  const pages = parts.cache.namespace('pages')
  return serverTiming(accelerate(pages, createApp(parts), { query: { allow: ['q', 'days'] } }))
}
