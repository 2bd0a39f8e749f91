import { expect, test } from 'vitest'
import { allHeard, inFleets } from '../doubles/fleet.ts'

/**
 * The order of events, with A and B two processes:
 *   1. A deletes k: carried out in L2, and the acknowledgement is on its way
 *   2. B sets k = v1
 *   3. A deletes k again: that is not acknowledged, so that it is noted for repetition
 *   4. the acknowledgement of 1 comes: it says nothing of 3
 * Calls are numbered when they begin, and an acknowledgement removes nothing that was called later.
 */
inFleets((fleet) => {
  test.each(['delete', 'set'] as const)(
    '%s: the acknowledgement of an earlier call leaves a later one noted',
    async (call) => {
      const [a, b] = [await fleet.process(), await fleet.process()]
      const answering = a.far.holdAnswer(call)
      const first = call === 'delete' ? a.cache.delete('k') : a.cache.set('k', 'v0')
      await answering.arrived
      await b.cache.set('k', 'v1')
      const heal = a.far.failing('delete')
      expect(await a.cache.delete('k')).toEqual({ acknowledged: false })
      answering.release()
      expect(await first).toEqual({ acknowledged: true })
      expect(a.parts.journal.size).toBe(1)
      expect(await a.cache.get('k')).not.toBe('v1')

      heal()
      const repeated = new Promise((resolve) => a.cache.on('acknowledged', resolve))
      await fleet.elapse(500)
      await repeated
      await allHeard(a, b)
      expect(await b.cache.get('k')).toBeUndefined()
      expect(a.parts.journal.size).toBe(0)
    },
  )

  test('the acknowledgement of a later call removes what was noted before it', async () => {
    const a = await fleet.process()
    const heal = a.far.failing('delete')
    expect(await a.cache.delete('k')).toEqual({ acknowledged: false })
    heal()
    expect(await a.cache.delete('k')).toEqual({ acknowledged: true })
    expect(a.parts.journal.size).toBe(0)
  })

  test('a repetition that was sent before a later call does not remove that', async () => {
    const a = await fleet.process()
    const heal = a.far.failing('delete')
    await a.cache.delete('k')
    heal()
    const answering = a.far.holdAnswer('delete')
    const acknowledged = new Promise((resolve) => a.cache.on('acknowledged', resolve))
    await fleet.elapse(500)
    await answering.arrived
    const failing = a.far.failing('delete')
    expect(await a.cache.delete('k')).toEqual({ acknowledged: false })
    answering.release()
    await acknowledged
    expect(a.parts.journal.size).toBe(1)
    failing()
  })
})
