// Turns vitest's JSON report into the closing line of `npm test`.

/**
 * Counts the tests of a report. A file that failed to load has no tests, and an error outside any test shows only in the
 * exit status: each counts as one failure, so that a failed run never reads "0 failed".
 */
export const countTests = (report, exitStatus) => {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults ?? []) {
    const statuses = (file.assertionResults ?? []).map((test) => test.status);
    counts.passed += statuses.filter((status) => status === 'passed').length;
    const failed = statuses.filter((status) => status === 'failed').length;
    counts.failed += failed > 0 || file.status !== 'failed' ? failed : 1;
    counts.skipped += statuses.filter((status) => status !== 'passed' && status !== 'failed').length;
  }
  if (exitStatus !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
};

/** "12 passed, 0 failed", and ", 3 skipped" where any were. */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
