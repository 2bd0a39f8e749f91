/** Starts a Redis, tells its port, and waits to be killed. */
import { startRedis } from './redis.ts'

const server = await startRedis()
process.stdout.write(`${server.port}\n`)
setInterval(() => {}, 1_000)
