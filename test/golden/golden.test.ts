import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../../src/entry/codec.ts'
import { decode } from '../../src/entry/codec.ts'
import { isAvailable } from '../../src/entry/compression.ts'
import { readHeader } from '../../src/entry/header.ts'
import { readNotice } from '../../src/entry/notice.ts'
import * as samples from './samples.ts'

/*
 * Bytes that were written once and must be read for ever: an entry of a released format may wait in Redis while all
 * processes are replaced, and a notice may come from a process of another version.
 *
 * A line is a name, a blank, and the bytes. Lines are only ever added: name a sample in samples.ts and run
 *
 *     WRITE_GOLDEN=1 npx vitest run test/golden
 *
 * which appends what is missing and leaves every line that stands as it is.
 */

function goldenFile(name: string, written: Readonly<Record<string, string>>): Map<string, string> {
  const path = join(import.meta.dirname, name)
  const read = () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [])
  const parse = () =>
    new Map(read().map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
  if (process.env.WRITE_GOLDEN) {
    const known = parse()
    for (const [key, text] of Object.entries(written)) if (!known.has(key)) appendFileSync(path, `${key} ${text}\n`)
  }
  return parse()
}

const mapped = <From>(record: Readonly<Record<string, From>>, write: (from: From) => string) =>
  Object.fromEntries(Object.entries(record).map(([name, from]) => [name, write(from)]))

describe('entries of format 1', () => {
  const written = mapped(samples.values, (value) => samples.writeEntry(value).toString('hex'))
  const lines = goldenFile('entry-v1.hex', written)

  test('are kept for every sample', () => {
    expect([...lines.keys()]).toEqual(Object.keys(samples.values))
  })

  test.each([...lines])('%s is read', (name, hex) => {
    const read = readHeader(Buffer.from(hex, 'hex'), samples.above)
    expect(isDeepStrictEqual(decode(read), samples.values[name])).toBe(true)
    const { n0, stamps, tags, header } = samples
    const { flags: _flags, payload: _payload, ...rest } = read
    expect(rest).toEqual({ ...header, n0, stamps, tags })
  })

  test.each([...lines])('%s is written so by this version too', (name, hex) => {
    expect(written[name]).toBe(hex)
  })
})

describe('sealed entries of format 1', () => {
  const possible = Object.entries(samples.sealed).filter(([, { algorithm }]) => !algorithm || isAvailable(algorithm))
  const written = mapped(Object.fromEntries(possible), (sample) => samples.writeSealed(sample).toString('hex'))
  const lines = goldenFile('sealed-v1.hex', written)

  test('are kept for every sample', () => {
    expect([...lines.keys()].sort()).toEqual(Object.keys(samples.sealed).sort())
  })

  test.each([...lines])('%s is read, or said to be beyond this Node', async (name, hex) => {
    const sample = samples.sealed[name] as samples.Sealed
    const { value, algorithm, isEncrypted, schemaVersion } = sample
    const envelope = samples.envelopeOfSealed(isEncrypted ? { value, isEncrypted } : { value })
    const read = readHeader(Buffer.from(hex, 'hex'), samples.above)
    const opened = await envelope.open(read, samples.sealedAt, schemaVersion)
    if (algorithm && !isAvailable(algorithm)) expect(opened).toBe('algorithm')
    else expect(isDeepStrictEqual(decode(opened as Encoded), value)).toBe(true)
  })

  // What a compressor writes differs from one Node to the next.
  const exact = [...lines].filter(([name]) => samples.sealed[name]?.algorithm === undefined)
  test.each(exact)('%s is written so by this version too', (name, hex) => {
    expect(written[name]).toBe(hex)
  })
})

describe('notices of version 1', () => {
  const written = mapped(samples.notices, samples.writeNotice)
  const lines = goldenFile('notices-v1.txt', written)

  test('are kept for every sample', () => {
    expect([...lines.keys()]).toEqual(Object.keys(samples.notices))
  })

  test.each([...lines])('%s is read', (name, text) => {
    expect(readNotice(text)).toEqual(samples.notices[name])
  })

  test.each([...lines])('%s is written so by this version too', (name, text) => {
    expect(written[name]).toBe(text)
  })

  test('that of a key names its address', () => {
    expect(readNotice(lines.get('deleted') ?? '')?.subject).toBe(samples.keySubjectOfDeleted)
  })
})
