/** Numbers for people: three digits, binary units. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A byte count with its unit, such as `84.5 MiB`. */
export const formatBytes = (bytes: number): string => {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toPrecision(bytes >= 1000 ? 4 : 3)} ${UNITS[unit]}`;
};

/** A number with three significant digits and no exponent. */
export const formatNumber = (value: number): string =>
  value >= 100 || value === 0
    ? value.toFixed(0)
    : value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 0.01)))));

/** Milliseconds, in seconds from one second on. */
export const formatDuration = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;

/** The middle value (mean of the two middle ones). */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** A count with its noun, such as `1 thread` and `2 threads`. */
export const formatCount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
