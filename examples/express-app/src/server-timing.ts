import type { RequestListener, ServerResponse } from 'node:http'

/**
 * Tells with each answer of a listener how long it took and how long of that it waited for the database: `db;dur=0` is
 * an answer that needed none.
 *
 * It stands in front of the cache, so that the time is of this answer and never one that was stored with a page.
 */
export function serverTiming(listener: RequestListener): RequestListener {
  return (req, res) => {
    const startedAt = performance.now()
    const { writeHead } = res
    res.writeHead = ((...args: Parameters<typeof writeHead>) => {
      const total = performance.now() - startedAt
      res.setHeader('Server-Timing', `db;dur=${(databaseMs.get(res) ?? 0).toFixed(1)}, total;dur=${total.toFixed(1)}`)
      return writeHead.apply(res, args)
    }) as typeof writeHead
    listener(req, res)
  }
}

/** Runs a query of the route that answers with `res`, and adds its duration to that answer's database time. */
export async function timed<T>(res: ServerResponse, query: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    return await query()
  } finally {
    databaseMs.set(res, (databaseMs.get(res) ?? 0) + performance.now() - startedAt)
  }
}

const databaseMs = new WeakMap<ServerResponse, number>()
