import { describe, expect, test } from 'vitest'
import { purgedTargets } from '../../src/http/purged-targets.ts'

const named = (url: unknown, hosts: string[] = []) =>
  purgedTargets(url, hosts).map(({ scheme, host, target }) => `${scheme} ${host} ${target}`)

describe('the resources that a purge names', () => {
  test('a URL: under both schemes', () => {
    expect(named('https://Shop.example/a?b=1#c')).toEqual(['http shop.example /a?b=1', 'https shop.example /a?b=1'])
    expect(named(new URL('http://shop.example:8080/'))).toEqual([
      'http shop.example:8080 /',
      'https shop.example:8080 /',
    ])
  })

  test('as it is written, and as a parser normalises it', () => {
    expect(named('http://s.example/a/../%C3%BCb/é?x=ü')).toEqual([
      'http s.example /%C3%BCb/%C3%A9?x=%C3%BC',
      'http s.example /a/../%C3%BCb/é?x=ü',
      'https s.example /%C3%BCb/%C3%A9?x=%C3%BC',
      'https s.example /a/../%C3%BCb/é?x=ü',
    ])
    expect(named('http://s.example?x').slice(0, 2)).toEqual(['http s.example /?x', 'https s.example /?x'])
  })

  test('as percent-encoding is normalised (RFC 3986, section 6.2.2)', () => {
    expect(named('http://s.example/caf%c3%a9/%7Ex%2f').slice(0, 3)).toEqual([
      'http s.example /caf%c3%a9/%7Ex%2f',
      'http s.example /caf%C3%A9/~x%2F',
      'https s.example /caf%c3%a9/%7Ex%2f',
    ])
  })

  test('no pattern is taken for a URL; a URL object may have a star', () => {
    for (const url of ['/products/*', 'https://s.example/*', 'https://s.example/a?b=*']) {
      expect(() => named(url, ['s.example'])).toThrow(/no patterns.*tags/)
    }
    expect(named(new URL('https://s.example/*'))).toHaveLength(2)
  })

  test('a path: on each of the hosts', () => {
    expect(named('/a', ['s.example', 'localhost:3000'])).toEqual([
      'http s.example /a',
      'https s.example /a',
      'http localhost:3000 /a',
      'https localhost:3000 /a',
    ])
  })

  test.each([undefined, 7, '', 'a', '//s.example/a', 'ftp://s.example/a', 'http://', 'http://[x]/', 'javascript:1'])(
    '%j is refused',
    (url) => {
      expect(() => named(url, ['s.example'])).toThrow(/^url: expected an http or https URL, .*, got /)
    },
  )

  test('a path without hosts is refused, and says what is missing', () => {
    expect(() => named('/a')).toThrow('a path alone needs the option hosts, got "/a"')
  })
})
