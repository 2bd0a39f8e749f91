import { expect, test } from 'vitest'
import { Audience } from '../../src/stampede/audience.ts'

test('it is deserted when the last one has left, with that one’s reason', () => {
  const audience = new Audience()
  const told: unknown[] = []
  audience.whenDeserted((reason) => told.push(reason))
  audience.join()
  audience.leave('the first')
  audience.join()
  audience.leave('the second')
  expect([audience.isDeserted, told]).toEqual([false, []])
  audience.leave('the last')
  expect([audience.isDeserted, audience.reason, told]).toEqual([true, 'the last', ['the last']])
})

test('one step after the other is ended: only the present one is told', () => {
  const audience = new Audience()
  const told: string[] = []
  audience.whenDeserted(() => told.push('waiting'))
  audience.whenDeserted(() => told.push('loading'))
  audience.leave(undefined)
  expect(told).toEqual(['loading'])
})

test('between two steps nobody is told, and it is seen later', () => {
  const audience = new Audience()
  audience.whenDeserted(() => expect.unreachable())
  audience.whenDeserted(undefined)
  audience.leave('gone')
  expect([audience.isDeserted, audience.reason]).toEqual([true, 'gone'])
})

test('what is carried through is never deserted, by those who join later neither', () => {
  const audience = new Audience()
  audience.whenDeserted(() => expect.unreachable())
  audience.stay()
  audience.leave('the first')
  audience.join()
  audience.leave('the second')
  expect(audience.isDeserted).toBe(false)
})

test('who visits another run leaves it with its own audience, and not any more once it is home', () => {
  const [host, guest, gone] = [new Audience(), new Audience(), new Audience()]
  guest.visit(host)
  gone.visit(host)
  host.leave('the first')
  gone.goHome()
  host.leave('gone home')
  gone.leave('elsewhere')
  expect(host.isDeserted).toBe(false)
  guest.leave('the guest')
  expect([host.isDeserted, host.reason]).toEqual([true, 'the guest'])
})

test('all may be sent away at once; who leaves after that is not told again', () => {
  const [host, audience] = [new Audience(), new Audience()]
  const told: unknown[] = []
  audience.whenDeserted((reason) => told.push(reason))
  audience.join()
  audience.visit(host)
  host.leave('its own')
  audience.dismiss('closed')
  audience.dismiss('again')
  audience.leave('late')
  audience.leave('later')
  expect([audience.isDeserted, audience.reason, told]).toEqual([true, 'closed', ['closed']])
  expect(host.isDeserted).toBe(true)
})
