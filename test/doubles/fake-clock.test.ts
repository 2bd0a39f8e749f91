import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

test('time stands still until it is moved, wall time with it', () => {
  const clock = new FakeClock({ now: 5, wall: 100 })
  expect([clock.now(), clock.wall()]).toEqual([5, 100])
  clock.advance(10)
  expect([clock.now(), clock.wall()]).toEqual([15, 110])
  clock.jumpWall(-50)
  expect([clock.now(), clock.wall()]).toEqual([15, 60])
})

test('timers run in the order of their instants, and at them', () => {
  const clock = new FakeClock({ now: 0 })
  const ran: [string, number][] = []
  const note = (name: string) => () => void ran.push([name, clock.now()])
  clock.after(20, note('late'))
  clock.after(10, note('early'))
  clock.after(10, note('early, second'))
  clock.after(31, note('not yet'))
  clock.advance(30)
  expect(ran).toEqual([
    ['early', 10],
    ['early, second', 10],
    ['late', 20],
  ])
  expect(clock.pending).toBe(1)
})

test('a timer that a timer starts runs in the same advance when it is due', () => {
  const clock = new FakeClock({ now: 0 })
  const ran: number[] = []
  const beat = () => {
    ran.push(clock.now())
    clock.after(10, beat)
  }
  clock.after(10, beat)
  clock.advance(35)
  expect(ran).toEqual([10, 20, 30])
})

test('moved by a timer while it moves, it goes on from there, and never back', () => {
  const clock = new FakeClock({ now: 0, wall: 0 })
  const seen: number[] = []
  clock.after(10, () => {
    clock.advance(100)
    seen.push(clock.now())
  })
  clock.after(15, () => seen.push(clock.now()))
  clock.advance(20)
  expect(seen).toEqual([15, 110])
  expect([clock.now(), clock.wall()]).toEqual([110, 110])
})

test('a cancelled timer does not run, even when another one cancels it at the same instant', () => {
  const clock = new FakeClock()
  const ran: string[] = []
  let cancelSecond = () => {}
  clock.after(10, () => {
    ran.push('first')
    cancelSecond()
  })
  cancelSecond = clock.after(10, () => void ran.push('second'))
  const cancel = clock.after(1, () => void ran.push('cancelled'))
  cancel()
  cancel()
  clock.advance(100)
  expect(ran).toEqual(['first'])
})

test('chance is the same in every run, and another with another seed', () => {
  const draw = (seed: number) => {
    const clock = new FakeClock({ seed })
    return [clock.random(), clock.random(), clock.nonce(8), clock.nonce(1)]
  }
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  const clock = new FakeClock()
  const drawn = Array.from({ length: 1000 }, () => clock.random())
  expect(drawn.every((each) => each >= 0 && each < 1)).toBe(true)
  expect(new Set(drawn).size).toBe(1000)
  expect(clock.nonce(8)).toMatch(/^[0-9a-f]{16}$/)
  expect(new Set(Array.from({ length: 1000 }, () => clock.nonce(8))).size).toBe(1000)
})
