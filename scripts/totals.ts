export interface Totals {
  readonly passed: number
  readonly failed: number
}

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

/**
 * The totals of a run of vitest. A file that could not be loaded counts as one failure, and so does a run that ended
 * badly with no failed test (an unhandled rejection, no test at all) or left no report.
 */
export function totalsOf(report: VitestReport | undefined, exitCode: number): Totals {
  const passed = report?.numPassedTests ?? 0
  const brokenFiles = report?.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  const failed = (report?.numFailedTests ?? 0) + (brokenFiles?.length ?? 0)
  const endedWell = exitCode === 0 && passed + failed > 0
  return { passed, failed: failed === 0 && !endedWell ? 1 : failed }
}

/** The totals of a check that is no test run: it counts as one. */
export function totalsOfCheck(exitCode: number): Totals {
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

export function sum(all: readonly Totals[]): Totals {
  const passed = all.reduce((total, each) => total + each.passed, 0)
  const failed = all.reduce((total, each) => total + each.failed, 0)
  return { passed, failed }
}
