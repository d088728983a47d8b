import { describe, expect, it, vi } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatNumber, median } from './format.ts';
import { paintDraft, showsColours } from './paint.ts';
import { progressBar, StatusLine, type Terminal } from './status-line.ts';

const fakeTerminal = (isTTY: boolean): { terminal: Terminal; output: () => string } => {
  let output = '';
  const write = (text: string | Uint8Array): boolean => {
    output += String(text);
    return true;
  };
  return { terminal: { isTTY, rows: 24, columns: 40, write }, output: () => output };
};

describe('StatusLine', () => {
  it('writes nothing where there is no terminal', () => {
    const { terminal, output } = fakeTerminal(false);
    const status = new StatusLine(terminal, true);
    status.update('1 token');
    status.close();
    expect(output()).toBe('');
  });

  it('rewrites its line, cut to the width, and removes it', () => {
    const { terminal, output } = fakeTerminal(true);
    const status = new StatusLine(terminal, false);
    status.update('x'.repeat(100));
    expect(output()).toBe(`\r\x1b[2K${'x'.repeat(39)}`);
    status.close();
    expect(output().endsWith('\r\x1b[2K')).toBe(true);
  });

  it('keeps the last row for itself while text streams, and gives it back', () => {
    const { terminal, output } = fakeTerminal(true);
    const status = new StatusLine(terminal, true);
    status.update('1 token');
    expect(output()).toContain('\x1b[1;23r');
    expect(output()).toContain('\x1b[24;1H\x1b[2K1 token\x1b8');
    status.close();
    expect(output()).toContain('\x1b[r');
  });

  it('redraws at most every 80 ms', () => {
    vi.useFakeTimers();
    vi.advanceTimersByTime(1000);
    const { terminal, output } = fakeTerminal(true);
    const status = new StatusLine(terminal, false);
    status.update('one');
    status.update('two');
    expect(output()).not.toContain('two');
    vi.advanceTimersByTime(100);
    status.update('three');
    expect(output()).toContain('three');
    vi.useRealTimers();
  });
});

describe('numbers for people', () => {
  it('have three digits', () => {
    expect([0, 0.123456, 1.5, 45.67, 1234.5].map(formatNumber)).toEqual(['0', '0.123', '1.50', '45.7', '1235']);
    expect([12, 1500, 84.5 * 2 ** 20].map(formatBytes)).toEqual(['12 B', '1.46 KiB', '84.5 MiB']);
    expect([1, 2].map((count) => formatCount(count, 'thread'))).toEqual(['1 thread', '2 threads']);
    expect([12.4, 2345].map(formatDuration)).toEqual(['12 ms', '2.35 s']);
  });

  it('have a middle and a bar', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    expect([progressBar(0, 4), progressBar(0.5, 4), progressBar(9, 4)]).toEqual(['[░░░░]', '[██░░]', '[████]']);
  });
});

describe('paintDraft', () => {
  it('colours what was drafted, each drafter in its own way, and nothing else', () => {
    expect(paintDraft('word', undefined)).toBe('word');
    expect(paintDraft('word', 'suffix')).toBe('\x1b[33mword\x1b[0m');
    expect(paintDraft('word', 'recycling')).not.toBe(paintDraft('word', 'pairs'));
    expect(showsColours({ isTTY: false })).toBe(false);
  });
});
