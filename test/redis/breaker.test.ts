import { describe, expect, test } from 'vitest'
import { Breaker } from '../../src/redis/breaker.ts'

const MIDDLE = 0.5

function opened(): Breaker {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(MIDDLE)
  return breaker
}

describe('closed', () => {
  test('lets commands pass; the third failure in a row opens it', () => {
    const breaker = new Breaker()
    expect([breaker.state, breaker.passes]).toEqual(['closed', true])
    expect([breaker.failed(MIDDLE), breaker.failed(MIDDLE), breaker.passes]).toEqual([undefined, undefined, true])
    expect(breaker.failed(MIDDLE)).toBe(400)
    expect([breaker.state, breaker.passes]).toEqual(['open', false])
  })

  test('a success forgives', () => {
    const breaker = new Breaker()
    breaker.failed(MIDDLE)
    breaker.failed(MIDDLE)
    breaker.succeeded()
    breaker.failed(MIDDLE)
    breaker.failed(MIDDLE)
    expect(breaker.state).toBe('closed')
    breaker.failed(MIDDLE)
    expect(breaker.state).toBe('open')
  })

  test('has no probe', () => {
    const breaker = new Breaker()
    breaker.probing()
    expect(breaker.state).toBe('closed')
  })
})

describe('open', () => {
  test('lets nothing pass until the probe is answered', () => {
    const breaker = opened()
    breaker.probing()
    expect([breaker.state, breaker.passes]).toEqual(['half-open', false])
    breaker.succeeded()
    expect([breaker.state, breaker.passes]).toEqual(['closed', true])
  })

  test('a late answer to a command does not close it', () => {
    const breaker = opened()
    breaker.succeeded()
    expect(breaker.state).toBe('open')
  })

  test('a late failure of a command starts no second pause', () => {
    const breaker = opened()
    expect(breaker.failed(MIDDLE)).toBeUndefined()
    expect(breaker.state).toBe('open')
  })

  test('each failed probe doubles the pause, up to five seconds', () => {
    const breaker = opened()
    const pauses = Array.from({ length: 6 }, () => {
      breaker.probing()
      return breaker.failed(MIDDLE)
    })
    expect(pauses).toEqual([800, 1600, 3200, 5000, 5000, 5000])
  })

  test('after it was closed, the first pause is the short one again, after three failures', () => {
    const breaker = opened()
    breaker.probing()
    breaker.failed(MIDDLE)
    breaker.probing()
    breaker.succeeded()
    expect([breaker.failed(MIDDLE), breaker.failed(MIDDLE), breaker.failed(MIDDLE)]).toEqual([
      undefined,
      undefined,
      400,
    ])
  })

  test('chance spreads the pauses of a fleet by a quarter to both sides', () => {
    const pauseAt = (chance: number) => {
      const breaker = new Breaker()
      breaker.failed(chance)
      breaker.failed(chance)
      return breaker.failed(chance)
    }
    expect([pauseAt(0), pauseAt(0.5), pauseAt(1)]).toEqual([300, 400, 500])
  })
})
