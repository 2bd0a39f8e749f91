import { describe, expect, test } from 'vitest'
import { Chain } from '../../src/bus/chain.ts'

/** Links of one chain in the order of the alphabet. */
const link = (tip: string) => ({ tip, n: tip.charCodeAt(0) })

/** A chain whose head was read. */
function knownTo(tip: string): Chain {
  const chain = new Chain(1)
  chain.read(link(tip), undefined)
  return chain
}

describe('what is heard', () => {
  test('the first link is a gap, whatever it follows', () => {
    expect(new Chain(1).heard('', link('a'))).toBe('gap')
    expect(new Chain(1).heard('x', link('a'))).toBe('gap')
    expect(new Chain(1).heard('undefined', link('a'))).toBe('gap')
  })

  test('each link must follow the last one heard', () => {
    const chain = knownTo('a')
    expect([
      chain.heard('a', link('b')),
      chain.heard('b', link('c')),
      chain.heard('d', link('e')),
      chain.heard('e', link('f')),
    ]).toEqual(['next', 'next', 'gap', 'next'])
  })

  test('a link told twice, or out of order, is a gap', () => {
    const chain = knownTo('a')
    chain.heard('a', link('b'))
    expect(chain.heard('a', link('b'))).toBe('gap')
    expect(chain.heard('', link('a'))).toBe('gap')
    expect(chain.last).toEqual(link('b'))
    expect(chain.heard('b', link('c'))).toBe('next')
  })

  test('a chain that begins again is a gap', () => {
    const chain = knownTo('a')
    expect(chain.heard('', link('b'))).toBe('gap')
  })
})

describe('what is read', () => {
  test('a head that was heard was seen, also when later links were heard meanwhile', () => {
    const chain = knownTo('a')
    chain.heard('a', link('b'))
    expect([chain.read(link('b'), undefined), chain.read(link('a'), undefined), chain.heard('b', link('c'))]).toEqual([
      'seen',
      'seen',
      'next',
    ])
  })

  test('one that was not is a gap, and the chain goes on from it', () => {
    const chain = new Chain(1)
    expect(chain.read(link('a'), undefined)).toBe('gap')
    expect([chain.heard('a', link('b')), chain.read(link('a'), undefined), chain.read(link('b'), undefined)]).toEqual([
      'next',
      'seen',
      'seen',
    ])
    expect(chain.read(link('x'), link('b'))).toBe('gap')
    expect(chain.heard('x', link('y'))).toBe('next')
  })

  test('a head that was missed, behind links that were heard meanwhile, does not turn the chain back', () => {
    const chain = new Chain(1)
    chain.heard('b', link('c'))
    expect(chain.read(link('b'), undefined)).toBe('gap')
    expect(chain.last).toEqual(link('c'))
    expect(chain.heard('c', link('d'))).toBe('next')
  })

  test('a head behind what was known when it was read has gone back, also to a link that was heard once', () => {
    const chain = knownTo('a')
    chain.heard('a', link('b'))
    expect(chain.read(link('a'), link('b'))).toBe('back')
    expect([chain.heard('a', link('b')), chain.read(link('b'), link('a'))]).toEqual(['next', 'seen'])
  })

  test('a forgotten chain is another one when it comes back', () => {
    const chain = knownTo('a')
    chain.heard('d', link('e'))
    chain.forget()
    expect([chain.last, chain.read(link('a'), undefined), chain.read(link('e'), undefined)]).toEqual([
      undefined,
      'gap',
      'gap',
    ])
  })

  test.each([
    [1, 1024],
    [32, 1024],
    [1024, 32],
  ])('with %i chains %i links of each are remembered, and not more: absence is a gap', (chains, most) => {
    const chain = new Chain(chains)
    const numbered = (n: number) => ({ tip: String(n), n })
    for (let n = 0; n <= most; n++) chain.heard(String(n - 1), numbered(n))
    const read = (n: number) => chain.read(numbered(n), undefined)
    expect([read(1), read(0), read(most)]).toEqual(['seen', 'gap', 'seen'])
  })
})

describe('a link that follows none that is known', () => {
  const forged = { tip: 'forged', n: Number.MAX_SAFE_INTEGER - 1 }

  test('does not say how far the chain has come, nor do those that follow it', () => {
    const chain = knownTo('a')
    expect(chain.heard('x', forged)).toBe('gap')
    expect(chain.heard('forged', { tip: 'forged too', n: forged.n + 1 })).toBe('next')
    expect(chain.last).toEqual(link('a'))
    expect(chain.read(link('a'), chain.last)).toBe('seen')
  })

  test('does not keep the next one of the chain from following', () => {
    const chain = knownTo('a')
    chain.heard('x', forged)
    expect(chain.heard('a', link('b'))).toBe('next')
    expect(chain.last).toEqual(link('b'))
  })

  test('is not of the chain for naming its last link, if its number is not the next one', () => {
    const chain = knownTo('a')
    expect(chain.heard('a', forged)).toBe('gap')
    expect(chain.last).toEqual(link('a'))
  })

  test('does not stand for the head whose tip it has, under another number', () => {
    const chain = knownTo('a')
    chain.heard('x', { tip: 'b', n: forged.n })
    expect(chain.read(link('b'), chain.last)).toBe('gap')
  })

  test('is of it when it is found to be the head, with those that followed it meanwhile', () => {
    const chain = knownTo('a')
    chain.heard('d', link('e'))
    chain.heard('e', link('f'))
    chain.heard('f', link('g'))
    const before = chain.last
    expect([chain.read(link('f'), before), chain.last]).toEqual(['seen', link('g')])
    expect(chain.read(link('e'), link('g'))).toBe('back')
  })

  test('is not of it when the head is another link of that number', () => {
    const chain = knownTo('a')
    chain.heard('d', link('e'))
    expect(chain.read({ tip: 'other', n: link('e').n }, chain.last)).toBe('gap')
    expect(chain.last).toEqual({ tip: 'other', n: link('e').n })
    expect(chain.heard('e', link('f'))).toBe('next')
    expect(chain.last).toEqual({ tip: 'other', n: link('e').n })
  })
})
