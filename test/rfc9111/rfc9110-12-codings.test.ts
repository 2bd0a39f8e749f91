import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { clause } from './clause.ts'
import type { World } from './clause.ts'
import type { Got } from './client.ts'

const PAGE = 'the same words again and again, '.repeat(400)
const FIELDS = { 'Cache-Control': 'max-age=600', 'Content-Type': 'text/html', ETag: '"page"' }

/** Asks until the response is coded, as far as this set-up codes any: forms are made of what L1 has. */
async function coded(world: World, accept: string): Promise<Got> {
  for (let time = 0; time < 5000; time++) {
    const got = await world.get({ 'Accept-Encoding': accept })
    if (got.field('content-encoding') !== undefined || world.setUp.tiers === 'L2') return got
  }
  throw new Error('the response was never coded')
}

function decoded(got: Got): string {
  const coding = got.field('content-encoding')
  if (coding === 'gzip') return gunzipSync(got.bytes).toString()
  return coding === 'br' ? brotliDecompressSync(got.bytes).toString() : got.body
}

clause('RFC 9110 §12.5.3 a coding is one that the client accepts, by weight', { compress: true }, async (world) => {
  world.app({ fields: FIELDS, body: PAGE })
  await world.get()
  const cases = [
    ['gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['gzip;q=0.5, br', 'br'],
    ['GZIP', 'gzip'],
  ] as const
  for (const [accept, coding] of cases) {
    const got = await coded(world, accept)
    if (world.setUp.tiers !== 'L2') expect(got.field('content-encoding'), accept).toBe(coding)
    expect(decoded(got), accept).toBe(PAGE)
  }
})

clause('RFC 9110 §12.5.3 … and none that it refuses, or does not name', { compress: true }, async (world) => {
  world.app({ fields: FIELDS, body: PAGE })
  await coded(world, 'gzip')
  for (const accept of ['gzip;q=0', 'identity', 'gzip;q=0.0, br;q=0', 'x-own', '', 'gzip;q=0, *;q=0, identity']) {
    const got = await world.get({ 'Accept-Encoding': accept })
    expect([got.field('content-encoding'), got.body], accept).toEqual([undefined, PAGE])
  }
  const got = await world.get()
  expect([got.field('content-encoding'), got.body]).toEqual([undefined, PAGE])
})

clause(
  'RFC 9110 §12.5.5 Vary names Accept-Encoding wherever a coding may be chosen',
  { compress: true },
  async (world) => {
    world.app({ fields: { ...FIELDS, Vary: 'X-A' }, body: PAGE })
    for (const got of [await world.get(), await coded(world, 'gzip'), await world.get()]) {
      expect(got.field('vary')?.toLowerCase()).toContain('accept-encoding')
      expect(got.field('vary')?.toLowerCase()).toContain('x-a')
    }
  },
)

clause(
  'RFC 9110 §8.8.3.3 representations in different codings MUST have different strong tags',
  { compress: true },
  async (world) => {
    world.app({ fields: FIELDS, body: PAGE })
    await world.get()
    const tags = new Map<string, string | undefined>()
    tags.set('identity', (await world.get()).field('etag'))
    for (const accept of ['gzip', 'br']) {
      const got = await coded(world, accept)
      tags.set(got.field('content-encoding') ?? 'identity', got.field('etag'))
    }
    expect(tags.size).toBe(world.setUp.tiers === 'L2' ? 1 : 3)
    expect(new Set(tags.values()).size).toBe(tags.size)
    expect(tags.get('identity')).toBe('"page"')
  },
)

clause('RFC 9110 §13.1.2 a client that has the coded one is answered by 304', { compress: true }, async (world) => {
  world.app({ fields: FIELDS, body: PAGE })
  await world.get()
  const tag = (await coded(world, 'gzip')).field('etag') ?? ''
  const got = await world.get({ 'Accept-Encoding': 'gzip', 'If-None-Match': tag })
  expect([got.status, got.field('etag'), got.body]).toEqual([304, tag, ''])
})

clause('RFC 9110 §8.4 what is coded already is not coded again', { compress: true }, async (world) => {
  world.app({ fields: { ...FIELDS, 'Content-Encoding': 'x-own', Vary: 'Accept-Encoding' }, body: PAGE })
  for (let time = 0; time < 4; time++) {
    const got = await world.get({ 'Accept-Encoding': 'gzip' })
    expect([got.field('content-encoding'), got.body]).toEqual(['x-own', PAGE])
  }
})
