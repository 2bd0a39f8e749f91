import { namespaceGroup, namespacesAbove } from '../../src/entry/key.ts'
import { Marks } from '../../src/tags/marks.ts'
import { MemoryTagIndex } from '../../src/tags/memory-tag-index.ts'
import { tagIndexSuite } from '../conformance/tag-index.suite.ts'

tagIndexSuite('in memory', async () => {
  const marks = new Marks()
  const index = new MemoryTagIndex((group, kind) => (kind === 'void' ? marks.move(group) : marks.moveSoftly(group)))
  return {
    here: index,
    there: index,
    async store(namespace) {
      const groups = namespacesAbove(namespace).map(namespaceGroup)
      const { count } = marks
      return async () => !marks.movedSince(groups, count)
    },
    close: () => {},
  }
})
