import { describe, expect, test } from 'vitest'
import { looksDeceptive } from '../../src/http/deception.ts'

const html = 'text/html; charset=utf-8'

describe('a page under the name of a static file', () => {
  test.each([
    ['/account/x.css', html],
    ['/account/x.CSS?v=1', html],
    ['/account;x.js', 'Text/HTML'],
    ['/account%2fx.png', html],
    ['/account%3Fx.woff2', html],
    ['/account%00.ico', 'application/xhtml+xml'],
    ['/api/me/x.jpg', 'application/json'],
    ['/api/me/x.jpg', 'application/problem+json;charset=utf-8'],
  ])('%s of %s looks like deception', (target, type) => {
    expect(looksDeceptive(target, [['Content-Type', type]])).toBe(true)
  })

  test.each([
    ['/account', html],
    ['/account.html', html],
    ['/account?file=x.css', html],
    ['/x.css', 'text/css'],
    ['/x.js.map', 'application/json'],
    ['/data.json', 'application/json'],
    ['/node.js/', html],
  ])('%s of %s does not', (target, type) => {
    expect(looksDeceptive(target, [['Content-Type', type]])).toBe(false)
  })

  test('an answer without a type does not', () => expect(looksDeceptive('/x.css', [])).toBe(false))
})
