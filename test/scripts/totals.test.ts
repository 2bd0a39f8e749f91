import { expect, test } from 'vitest'
import { sum, totalsOf, totalsOfCheck } from '../../scripts/totals.ts'
import type { VitestReport } from '../../scripts/totals.ts'

const report = (passed: number, failed: number, brokenFiles = 0): VitestReport => ({
  numPassedTests: passed,
  numFailedTests: failed,
  testResults: [
    { status: 'passed', assertionResults: [{}] },
    ...Array.from({ length: brokenFiles }, () => ({ status: 'failed', assertionResults: [] })),
  ],
})

test('the totals of vitest are those of its report', () => {
  expect(totalsOf(report(5, 0), 0)).toEqual({ passed: 5, failed: 0 })
  expect(totalsOf(report(5, 2), 1)).toEqual({ passed: 5, failed: 2 })
})

test('a file that could not be loaded is a failure', () => {
  expect(totalsOf(report(5, 1, 2), 1)).toEqual({ passed: 5, failed: 3 })
})

test('a bad end without a failed test is a failure: an unhandled rejection, no test, no report', () => {
  expect(totalsOf(report(5, 0), 1)).toEqual({ passed: 5, failed: 1 })
  expect(totalsOf(report(0, 0), 0)).toEqual({ passed: 0, failed: 1 })
  expect(totalsOf(undefined, 1)).toEqual({ passed: 0, failed: 1 })
  expect(totalsOf(undefined, 0)).toEqual({ passed: 0, failed: 1 })
})

test('a check counts as one', () => {
  expect(sum([totalsOfCheck(0), totalsOfCheck(2), totalsOf(report(3, 1), 1)])).toEqual({ passed: 4, failed: 2 })
})
