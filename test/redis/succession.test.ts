import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import type { RedisConnection } from '../../src/redis/source.ts'
import { Succession } from '../../src/redis/succession.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

test.each([
  ['10.0.0.1', '10.0.0.2'],
  ['fd00::1', 'fd00::2'],
])('a server is left when sentinels name another one, and not when they name itself: %s', (here, other) => {
  const sentinel = Object.assign(new EventEmitter(), { disconnect() {} })
  const commands = {
    status: 'ready',
    options: { sentinels: [{ host: 'sentinel', port: 26379 }], name: 'main' },
    stream: { remoteAddress: here, remotePort: 6379 },
  } as unknown as RedisConnection
  const sentinels = [sentinel as unknown as RedisConnection]
  const listener = { superseded: vi.fn(), look: vi.fn() }
  const succession = new Succession(
    { commands, subscriber: commands, sentinels, borrowed: false, inCluster: false },
    new FakeClock(),
    listener,
  )
  const name = (host: string) => sentinel.emit('message', '+switch-master', `main ${other} 6379 ${host} 6379`)
  name(here)
  expect(listener.superseded).not.toHaveBeenCalled()
  name(other)
  expect(listener.superseded).toHaveBeenCalledTimes(1)
  succession.close()
})
