import { expect, test } from 'vitest'
import { Followers, FOLLOWERS_MOST } from '../../src/http/followers.ts'

test('so many wait at a place at most; who leaves makes room', () => {
  const followers = new Followers()
  for (let index = 0; index < FOLLOWERS_MOST; index++) expect(followers.join('k')).toBe(true)
  expect(followers.join('k')).toBe(false)
  expect(followers.join('other')).toBe(true)
  followers.leave('k')
  expect(followers.join('k')).toBe(true)
})
