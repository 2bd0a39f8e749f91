import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { expect, test } from 'vitest'
import { createCache } from '../../src/create-cache.ts'
import { current } from './caches.ts'
import { documentedUser } from './documented-rights.ts'
import { fieldsOf } from './redis-deployment.ts'
import type { RunningForm } from './redis-forms.ts'
import { inChosenForms, keyBeside, keyInBucket } from './redis-forms.ts'

/** The connections to the servers of a form, by what CLIENT LIST says of them. */
async function connectionsOf(form: RunningForm): Promise<ReturnType<typeof fieldsOf>[]> {
  const lists = await Promise.all(form.masters().map((master) => master.client('LIST')))
  const lines = lists.flatMap((list, at) =>
    String(list)
      .trim()
      .split('\n')
      .map((line) => `server=${at} ${line}`),
  )
  return lines.map((line) => fieldsOf(line.split(' ').flatMap((field) => field.split(/=(.*)/s, 2))))
}

inChosenForms((form, name) => {
  test('is what its name says', async () => {
    await form().admit('forms')
    const idOf = ({ server, id }: ReturnType<typeof fieldsOf>) => `${server} ${id}`
    const before = new Set((await connectionsOf(form())).map(idOf))
    await using cache = createCache({ redis: form().source(), prefix: 'forms' })
    await current(cache, form())
    const made = (await connectionsOf(form())).filter((each) => !before.has(idOf(each)))
    const found = (field: string) => [...new Set(made.map((each) => each[field]))]

    expect(found('server')).toHaveLength(form().masters().length)
    expect(found('user')).toEqual([name.includes('least rights') ? documentedUser('server').user : 'default'])
    expect(found('resp')).toEqual([/RESP2|ioredis 5/.test(name) ? '2' : '3'])
    const library = createRequire(import.meta.url)('ioredis').Redis
    expect(library).toBe(name.endsWith(', ioredis 5') ? Redis5 : Redis)

    const [master] = form().masters()
    const channels = await Promise.all(
      ['CHANNELS', 'SHARDCHANNELS'].map((kind) => master?.call('PUBSUB', kind, 'forms:*')),
    )
    const isSharded = name.startsWith('Cluster') && !name.endsWith('PUBLISH')
    expect(channels.map((each) => (each as string[]).length > 0)).toEqual([!isSharded, isSharded])
    expect(form().publishes).toBe(isSharded ? 'SPUBLISH' : 'PUBLISH')
    expect(form().masters()).toHaveLength(form().bucketOfEach.length)
  })

  test('keys have the names that tests expect', async () => {
    await form().admit('forms')
    await using cache = createCache({ redis: form().source(), prefix: 'forms' })
    const k = { namespace: '_', key: 'k' }
    for (const key of ['k', keyBeside(k, form().buckets, 'other'), keyInBucket(0, form().buckets, 'first')]) {
      await cache.set(key, 1)
      const address = { namespace: '_', key }
      expect(await form().admin.exists(form().names('forms', address).entry(address))).toBe(1)
    }
  })
})
