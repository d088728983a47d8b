/** strftime for templates that write today's date; English names, local time. */

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function dayOfYear(time: Date): number {
  const start = Date.UTC(time.getFullYear(), 0, 1);
  return (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - start) / 86_400_000 + 1;
}

const directives: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => days[time.getDay()].slice(0, 3),
  A: (time) => days[time.getDay()],
  b: (time) => months[time.getMonth()].slice(0, 3),
  B: (time) => months[time.getMonth()],
  d: (time) => pad(time.getDate()),
  H: (time) => pad(time.getHours()),
  I: (time) => pad(time.getHours() % 12 || 12),
  j: (time) => pad(dayOfYear(time), 3),
  m: (time) => pad(time.getMonth() + 1),
  M: (time) => pad(time.getMinutes()),
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  S: (time) => pad(time.getSeconds()),
  w: (time) => String(time.getDay()),
  y: (time) => pad(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  F: (time) => formatTime(time, '%Y-%m-%d'),
  T: (time) => formatTime(time, '%H:%M:%S'),
  e: (time) => String(time.getDate()).padStart(2),
  '%': () => '%',
};

/** Writes a time; %-d and the like leave out leading zeros, unknown directives stay as they are. */
export function formatTime(time: Date, format: string): string {
  return format.replaceAll(/%(-?)([A-Za-z%])/g, (whole, bare: string, letter: string) => {
    const text = directives[letter]?.(time);
    if (text === undefined) return whole;
    return bare ? text.replace(/^0+(?=\d)/, '') : text;
  });
}
