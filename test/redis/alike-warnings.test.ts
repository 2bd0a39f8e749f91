import { expect, test } from 'vitest'
import { Events } from '../../src/events.ts'
import { AlikeWarnings } from '../../src/redis/alike-warnings.ts'

test('what several masters give cause to warn of is told of one; what differs is told of each', () => {
  const events = new Events()
  const told: string[] = []
  events.on('warning', ({ message }) => void told.push(message))
  const warnings = new AlikeWarnings(events, 'tc')
  for (const server of ['a:1', 'b:1']) {
    warnings.memoryFull(server)
    warnings.missingRight(server, { command: 'INFO', right: '+info' })
    warnings.tellOnce({ code: 'ERR_SERVER_VERSION', message: `${server} is old`, detail: { found: server } })
    warnings.tellOnce({ code: 'ERR_REDIS_REPLY', message: `${server} refuses` })
  }
  expect(told.map((message) => message.split(' ')[0])).toEqual(['a:1', 'the', 'a:1', 'a:1', 'b:1', 'b:1'])
})
