import { describe, expect, test } from 'vitest'
import { tagsOfFields } from '../../src/http/response-tags.ts'
import type { Fields } from '../../src/http/message.ts'

describe('tags in fields', () => {
  test.each<[string, Fields, string[]]>([
    ['none', [['Content-Type', 'a b, c']], []],
    ['Surrogate-Key, by spaces', [['surrogate-key', ' product:7  brand:3\tproduct:7 ']], ['product:7', 'brand:3']],
    ['Cache-Tag, by commas', [['Cache-Tag', 'product 7, brand:3 ,,a"b,c"']], ['product 7', 'brand:3', 'a"b,c"']],
    [
      'several lines of both',
      [
        ['Surrogate-Key', ['a', 'b']],
        ['Cache-Tag', 'c,a'],
      ],
      ['a', 'b', 'c'],
    ],
    ['empty ones', [['Surrogate-Key', ' '], ['Cache-Tag', ',']], []], // biome-ignore format: as the others
  ])('%s', (_, fields, tags) => {
    expect(tagsOfFields(fields)).toEqual({ tags, bad: 0 })
  })

  test('what is no tag is left out and counted: nothing could be made invalid by it', () => {
    const long = 'é'.repeat(256)
    expect(tagsOfFields([['Cache-Tag', `${long}é, ${long}, \uD800, ok`]])).toEqual({ tags: [long, 'ok'], bad: 2 })
  })
})
