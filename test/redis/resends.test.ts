import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { testClients } from './clients.ts'

const { server, rig, ioredis, cleanUp } = testClients()

const told = (made: ReturnType<typeof rig>) =>
  made.of('warning').filter((event) => (event as { readonly code: string }).code === 'ERR_RESENDS')

test('an instance of the application that sends again what was not answered, as by default, is told of once', async () => {
  const own = new Redis(server().url)
  cleanUp(() => own.disconnect())
  const made = rig(own)
  await made.connected()
  own.disconnect(true)
  await expect.poll(() => made.of('connected').length, { timeout: 10_000 }).toBe(2)
  expect(told(made)).toEqual([
    {
      code: 'ERR_RESENDS',
      message: expect.stringMatching(
        /autoResendUnfulfilledCommands: true.*carried out twice, or long after.*deadline.*autoResendUnfulfilledCommands: false/,
      ),
      detail: { setting: 'autoResendUnfulfilledCommands', found: 'true', expected: 'false' },
    },
  ])
})

test('one that does not is not, nor are connections of ours, which never do', async () => {
  const quiet = rig(ioredis(server().url, { autoResendUnfulfilledCommands: false }))
  const ours = rig({ url: server().url, autoResendUnfulfilledCommands: true })
  await Promise.all([quiet.connected(), ours.connected()])
  expect([...told(quiet), ...told(ours)]).toEqual([])
})
