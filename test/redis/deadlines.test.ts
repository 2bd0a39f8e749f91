import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { Deadlines } from '../../src/redis/deadlines.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

/** Watches commands by their names, and tells what became of them. */
function watching() {
  const clock = new FakeClock()
  const deadlines = new Deadlines(100, clock)
  const told: string[] = []
  return {
    clock,
    told,
    watch(command: string) {
      let settle = { resolve: (_reply: unknown) => {}, reject: (_error: unknown) => {} }
      const promise = new Promise((resolve, reject) => {
        settle = { resolve, reject }
      })
      const failed = (error: unknown) => told.push(`${command}: ${(error as Error).message}`)
      deadlines.watch(command, promise, (reply) => told.push(`${command}: ${reply}`), failed)
      return settle
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('each command has its time from its own sending on', async () => {
  const { clock, told, watch } = watching()
  watch('first')
  clock.advance(60)
  watch('second')
  clock.advance(39)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told).toEqual(['first: Redis did not answer first within 100 ms'])
  clock.advance(59)
  expect(told).toHaveLength(1)
  clock.advance(1)
  expect(told.slice(1)).toEqual(['second: Redis did not answer second within 100 ms'])
})

test('what is answered in time is handed on, a failure too, and is due no more', async () => {
  const { clock, told, watch } = watching()
  const [first, second, third, fourth] = [watch('first'), watch('second'), watch('third'), watch('fourth')]
  second.resolve('two')
  third.reject(new Error('three'))
  first.resolve('one')
  await turn()
  expect(told).toEqual(['second: two', 'third: three', 'first: one'])
  clock.advance(100)
  expect(told.slice(3)).toEqual(['fourth: Redis did not answer fourth within 100 ms'])
  fourth.resolve('late')
  await turn()
  expect(told).toHaveLength(4)
})

test('what comes after its time is dropped, a rejection too', async () => {
  const { clock, told, watch } = watching()
  const [late, lateFailure] = [watch('late'), watch('later')]
  clock.advance(100)
  late.resolve('answer')
  lateFailure.reject(new Error('failure'))
  await turn()
  expect(told).toHaveLength(2)
})

test('what is sent while another one is found to be due has its time too, and takes no timer of its own', async () => {
  const clock = new FakeClock()
  const timers = vi.spyOn(clock, 'inBackground')
  const deadlines = new Deadlines(100, clock)
  const told: string[] = []
  const never = new Promise<unknown>(() => {})
  const watch = (command: string, failed = () => {}) =>
    deadlines.watch(command, never, failed, () => {
      told.push(`${command} at ${clock.now()}`)
      failed()
    })
  const start = clock.now()
  watch('first', () => watch('third'))
  clock.advance(60)
  watch('second')
  clock.advance(40)
  expect(timers).toHaveBeenCalledTimes(2)
  clock.advance(100)
  expect(told).toEqual([`first at ${start + 100}`, `second at ${start + 160}`, `third at ${start + 200}`])
  expect(timers).toHaveBeenCalledTimes(3)
})

test('a command that is never answered keeps none of those alive that came after it', async () => {
  const clock = new FakeClock()
  const deadlines = new Deadlines(100, clock)
  /** One that is answered when `answer` is called, by what it would be told to. */
  const next = () => {
    let answer = (_reply: unknown) => {}
    const asked = new Promise((resolve) => {
      answer = resolve
    })
    const failed = () => {}
    deadlines.watch('next', asked, () => {}, failed)
    return { answer: () => answer(''), told: new WeakRef(failed) }
  }
  let answerStuck = (_reply: unknown) => {}
  const stuck = new Promise((resolve) => {
    answerStuck = resolve
  })
  const ignore = () => {}
  deadlines.watch('stuck', stuck, ignore, ignore)
  clock.advance(50)
  const [first, second] = [next(), next()]
  clock.advance(50)
  const third = next()
  for (const { answer } of [first, second, third]) {
    answer()
    await turn()
  }
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  expect([first, second, third].map(({ told }) => told.deref())).toEqual([undefined, undefined, undefined])
  answerStuck('')
})

test('after all have ended, the next command has its whole time', async () => {
  const { clock, told, watch } = watching()
  watch('first').resolve('one')
  await turn()
  clock.advance(99)
  watch('second')
  clock.advance(99)
  expect(told).toEqual(['first: one'])
  clock.advance(1)
  expect(told).toHaveLength(2)
})

test('a clock that is set forward ends no command early: those that wait have their whole time from then on', () => {
  const { clock, told, watch } = watching()
  watch('before')
  clock.advance(60)
  watch('between')
  clock.jumpWall(3_600_000)
  watch('after')
  clock.advance(99)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told.map((each) => each.split(':')[0])).toEqual(['before', 'between', 'after'])
})
