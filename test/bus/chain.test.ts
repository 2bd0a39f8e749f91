import { describe, expect, test } from 'vitest'
import { Chain } from '../../src/bus/chain.ts'

/** Links of one chain in the order of the alphabet. */
const link = (tip: string) => ({ tip, n: tip.charCodeAt(0) })

describe('what is heard', () => {
  test('the first link is a gap, whatever it follows', () => {
    expect(new Chain().heard('', link('a'))).toBe('gap')
    expect(new Chain().heard('x', link('a'))).toBe('gap')
    expect(new Chain().heard('undefined', link('a'))).toBe('gap')
  })

  test('each link must follow the last one heard', () => {
    const chain = new Chain()
    chain.heard('', link('a'))
    expect([
      chain.heard('a', link('b')),
      chain.heard('b', link('c')),
      chain.heard('d', link('e')),
      chain.heard('e', link('f')),
    ]).toEqual(['next', 'next', 'gap', 'next'])
  })

  test('a link told twice, or out of order, is a gap', () => {
    const chain = new Chain()
    chain.heard('', link('a'))
    chain.heard('a', link('b'))
    expect(chain.heard('a', link('b'))).toBe('gap')
    expect(chain.heard('', link('a'))).toBe('gap')
    expect(chain.last).toEqual(link('b'))
    expect(chain.heard('b', link('c'))).toBe('next')
  })

  test('a chain that begins again is a gap', () => {
    const chain = new Chain()
    chain.heard('', link('a'))
    expect(chain.heard('', link('b'))).toBe('gap')
  })
})

describe('what is read', () => {
  test('a head that was heard was seen, also when later links were heard meanwhile', () => {
    const chain = new Chain()
    chain.heard('', link('a'))
    chain.heard('a', link('b'))
    expect([chain.read(link('b'), undefined), chain.read(link('a'), undefined), chain.heard('b', link('c'))]).toEqual([
      'seen',
      'seen',
      'next',
    ])
  })

  test('one that was not is a gap, and the chain goes on from it', () => {
    const chain = new Chain()
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
    const chain = new Chain()
    chain.heard('b', link('c'))
    expect(chain.read(link('b'), undefined)).toBe('gap')
    expect(chain.heard('c', link('d'))).toBe('next')
  })

  test('a head behind what was known when it was read has gone back, also to a link that was heard once', () => {
    const chain = new Chain()
    chain.heard('', link('a'))
    chain.heard('a', link('b'))
    expect(chain.read(link('a'), link('b'))).toBe('back')
    expect([chain.heard('a', link('c')), chain.read(link('c'), link('a'))]).toEqual(['next', 'seen'])
  })

  test('a forgotten chain is another one when it comes back', () => {
    const chain = new Chain()
    expect(chain.last !== undefined).toBe(false)
    chain.heard('', link('a'))
    expect(chain.last !== undefined).toBe(true)
    chain.forget()
    expect([chain.last !== undefined, chain.read(link('a'), undefined)]).toEqual([false, 'gap'])
  })

  test('so many links are remembered, and not more: absence is a gap', () => {
    const chain = new Chain()
    const numbered = (n: number) => ({ tip: String(n), n })
    for (let n = 0; n <= 1024; n++) chain.heard(String(n - 1), numbered(n))
    const read = (n: number) => chain.read(numbered(n), undefined)
    expect([read(1024), read(1), read(0)]).toEqual(['seen', 'seen', 'gap'])
  })
})
