/** Makes caches behind Sentinel, by the options in its argument, and closes them at all sorts of moments. Ends by itself. */
import { createCache } from '../../src/create-cache.ts'

const redis = JSON.parse(process.argv[2] as string) as object
const turn = () => new Promise(setImmediate)

for (let turns = 0; turns < 60; turns++) {
  const cache = createCache({ redis })
  cache.on('warning', () => {})
  for (let passed = 0; passed < turns; passed++) await turn()
  await cache.close()
}
const cache = createCache({ redis })
await new Promise((resolve) => cache.on('connected', resolve))
await cache.close()
process.stdout.write('closed\n')
