import { describe, expect, test } from 'vitest'
import { Chain } from '../../src/bus/chain.ts'

describe('what is heard', () => {
  test('the first link is a gap, whatever it follows', () => {
    expect(new Chain().heard('', 'a')).toBe('gap')
    expect(new Chain().heard('x', 'a')).toBe('gap')
    expect(new Chain().heard('undefined', 'a')).toBe('gap')
  })

  test('each link must follow the last one heard', () => {
    const chain = new Chain()
    chain.heard('', 'a')
    expect([chain.heard('a', 'b'), chain.heard('b', 'c'), chain.heard('d', 'e'), chain.heard('e', 'f')]).toEqual([
      'next',
      'next',
      'gap',
      'next',
    ])
  })

  test('a link told twice, or out of order, is a gap', () => {
    const chain = new Chain()
    chain.heard('', 'a')
    chain.heard('a', 'b')
    expect(chain.heard('a', 'b')).toBe('gap')
    expect(chain.heard('', 'a')).toBe('gap')
    expect(chain.heard('b', 'c')).toBe('gap')
  })

  test('a chain that begins again is a gap', () => {
    const chain = new Chain()
    chain.heard('', 'a')
    expect(chain.heard('', 'b')).toBe('gap')
  })
})

describe('what is read', () => {
  test('a head that was heard was seen, also when later links were heard meanwhile', () => {
    const chain = new Chain()
    chain.heard('', 'a')
    chain.heard('a', 'b')
    expect([chain.read('b'), chain.read('a'), chain.heard('b', 'c')]).toEqual(['seen', 'seen', 'next'])
  })

  test('one that was not is a gap, and the chain goes on from it', () => {
    const chain = new Chain()
    expect(chain.read('a')).toBe('gap')
    expect([chain.heard('a', 'b'), chain.read('a'), chain.read('b')]).toEqual(['next', 'seen', 'seen'])
    expect(chain.read('x')).toBe('gap')
    expect([chain.read('b'), chain.heard('b', 'c')]).toEqual(['gap', 'next'])
  })

  test('a forgotten chain is another one when it comes back', () => {
    const chain = new Chain()
    expect(chain.isKnown).toBe(false)
    chain.heard('', 'a')
    expect(chain.isKnown).toBe(true)
    chain.forget()
    expect([chain.isKnown, chain.read('a')]).toEqual([false, 'gap'])
  })

  test('so many links are remembered, and not more: absence is a gap', () => {
    const chain = new Chain()
    chain.heard('', '0')
    for (let link = 1; link <= 1024; link++) chain.heard(String(link - 1), String(link))
    expect([chain.read('1024'), chain.read('1'), chain.read('0')]).toEqual(['seen', 'seen', 'gap'])
  })
})
