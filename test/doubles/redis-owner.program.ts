/** Starts a Redis, starts it once more, tells its port, and waits to be killed. */
import { startRedis } from './redis.ts'

const server = await startRedis()
await server.restart()
process.stdout.write(`${server.port}\n`)
setInterval(() => {}, 1_000)
