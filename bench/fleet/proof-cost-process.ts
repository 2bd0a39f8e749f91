/** One process of `proof-cost`, with a cache that nobody asks: `proof-cost-process.js <where Redis is, as JSON>`. */
import { createCache } from 'tiercache'
import { once } from '../harness/events.ts'
import { answerQuestions } from '../harness/program.ts'
import type { RedisSource } from 'tiercache'

const [, , place = ''] = process.argv
const redis = JSON.parse(place) as RedisSource
// A machine that stands still for longer than the default deadline would turn the proof into an outage.
const cache = createCache({ redis, maxStaleness: '2s', commandTimeout: '10s' })
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
