import { describe, expect, test } from 'vitest'
import { readHttpOptions } from '../../src/http/settings.ts'
import { controlOf, unsentFields } from '../../src/http/targeted.ts'
import type { Fields } from '../../src/http/message.ts'

const settings = readHttpOptions({})

function control(...fields: Fields) {
  const { directives, isTargeted } = controlOf(fields, settings)
  return { by: isTargeted ? 'targeted' : 'Cache-Control', says: Object.fromEntries(directives) }
}

const PRIVATE: Fields = [['Cache-Control', 'private']]
const otherwise = { by: 'Cache-Control', says: { private: [undefined] } }

describe('RFC 9213, section 2.2', () => {
  test('the first of the target list counts, whatever the order of the fields', () => {
    const fields: Fields = [
      ['cdn-cache-control', 'max-age=1'],
      ['Tiercache-Control', 'max-age=2'],
    ]
    expect(control(...PRIVATE, ...fields)).toEqual({ by: 'targeted', says: { 'max-age': ['2'] } })
    expect(control(...PRIVATE, ...fields.slice(0, 1))).toEqual({ by: 'targeted', says: { 'max-age': ['1'] } })
  })

  test('without any, Cache-Control does', () => {
    expect(control(...PRIVATE)).toEqual(otherwise)
    expect(control()).toEqual({ by: 'Cache-Control', says: {} })
  })

  test('fields that are not on the list change nothing', () => {
    expect(control(...PRIVATE, ['Other-Cache-Control', 'max-age=9'])).toEqual(otherwise)
    const none = readHttpOptions({ targeted: [] })
    expect(controlOf([...PRIVATE, ['CDN-Cache-Control', 'max-age=9']], none).isTargeted).toBe(false)
  })

  test('lines of one field are one', () => {
    const fields: Fields = [['CDN-Cache-Control', ['max-age=1', 'must-revalidate']]]
    expect(control(...fields).says).toEqual({ 'max-age': ['1'], 'must-revalidate': [undefined] })
  })
})

describe('RFC 9213, section 2.1', () => {
  test.each([
    ['empty', ''],
    ['blank', '  '],
    ['malformed', 'max-age=60, &&&&&'],
    ['with a comma at its end', 'max-age=60,'],
    ['with a name in upper case', 'Max-Age=60'],
    ['with white space around =', 'max-age = 60'],
    ['with a quotation mark that is never closed', 'private="x'],
  ])('a field that is %s is ignored', (_, text) => {
    expect(control(...PRIVATE, ['CDN-Cache-Control', text])).toEqual(otherwise)
    const next: Fields = [
      ['Tiercache-Control', text],
      ['CDN-Cache-Control', 'max-age=3'],
    ]
    expect(control(...PRIVATE, ...next).says).toEqual({ 'max-age': ['3'] })
  })

  test('one that says nothing of interest is a field all the same', () => {
    expect(control(...PRIVATE, ['CDN-Cache-Control', 'none'])).toEqual({ by: 'targeted', says: { none: [undefined] } })
  })

  test('parameters are ignored, and so is all but the last of one name', () => {
    expect(control(['CDN-Cache-Control', 'max-age=1;x=2, max-age=5, no-store;y']).says).toEqual({
      'max-age': ['5'],
      'no-store': [undefined],
    })
  })

  test('strings and tokens are the arguments of directives that have fields', () => {
    expect(control(['CDN-Cache-Control', 'private="x-a, x-b", no-cache=x-c']).says).toEqual({
      private: ['x-a, x-b'],
      'no-cache': ['x-c'],
    })
  })

  test.each(['"60"', '60.0', '?1', 'sixty', '(60)', ':NjA=:', '@60', '-60'])(
    'seconds are an integer: max-age=%s is not made one',
    (value) => {
      const [said] = control(['CDN-Cache-Control', `max-age=${value}`]).says['max-age'] ?? ['60']
      expect(said === undefined || said === '' || said === '-60').toBe(true)
    },
  )

  test('a directive that is false does not hold', () => {
    expect(control(...PRIVATE, ['CDN-Cache-Control', 'no-store=?0, max-age=1'])).toEqual({
      by: 'targeted',
      says: { 'max-age': ['1'] },
    })
  })

  test('a number or list for a directive without one is its strictest form', () => {
    expect(control(['CDN-Cache-Control', 'private=1.5, no-cache=(a b)']).says).toEqual({
      private: [''],
      'no-cache': [''],
    })
  })
})

test('unsentFields: those that are there', () => {
  const fields: Fields = [
    ['CDN-Cache-Control', '&&'],
    ['Other-Cache-Control', 'max-age=9'],
  ]
  expect(unsentFields(fields, settings)).toEqual(['cdn-cache-control'])
  expect(unsentFields([], settings)).toEqual([])
})
