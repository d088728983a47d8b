import { expect, test } from 'vitest';
import { closingLine, countTests } from './test-summary.mjs';

const file = (status, ...statuses) => ({ status, assertionResults: statuses.map((entry) => ({ status: entry })) });

test('counts passed, failed and skipped tests over all files', () => {
  const report = {
    testResults: [file('failed', 'passed', 'failed', 'pending'), file('passed', 'passed', 'todo', 'skipped')],
  };
  expect(closingLine(countTests(report, 1))).toBe('2 passed, 1 failed, 3 skipped');
});

test('leaves out the skipped part when nothing was skipped', () => {
  expect(closingLine(countTests({ testResults: [file('passed', 'passed')] }, 0))).toBe('1 passed, 0 failed');
});

test('a file that failed to load is a failure', () => {
  expect(countTests({ testResults: [file('passed', 'passed'), file('failed')] }, 1)).toMatchObject({ failed: 1 });
});

test('a failed run never reads "0 failed"', () => {
  expect(countTests({ testResults: [file('passed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(countTests({ testResults: [] }, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
