/** One process of `proof-cost`, with a cache that nobody asks: `proof-cost-process.js <options of the cache, as JSON>`. */
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { answerQuestions } from '../harness/program.ts'
import type { CreateCacheOptions } from 'tiercache'

const [, , options = ''] = process.argv
const place = JSON.parse(options) as CreateCacheOptions
// A machine that stands still for longer than the default deadline would turn the proof into an outage.
const cache = createCache({ ...place, maxStaleness: '2s', commandTimeout: '10s' })
await once(cache, 'connected')

answerQuestions({
  // From then on there is a chain of notices in every bucket.
  clear: () => cache.clear(),
  /** User and system time since the start, in ms. */
  cpuMs: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
  close: () => cache.close(),
})
