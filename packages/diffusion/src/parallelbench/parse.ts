/** Lists in the answers of a model. */

/** What lies behind the last `[` and before the next `]`; undefined where one of them is missing. */
const bracketed = (text: string): string | undefined => {
  const open = text.lastIndexOf('[');
  const close = text.indexOf(']', open + 1);
  return open < 0 || close < 0 ? undefined : text.slice(open + 1, close);
};

/** Strips double quotes and spaces, and only these, from both ends. */
const bare = (item: string): string => item.replace(/^[" ]+/, '').replace(/[" ]+$/, '');

/** The items of a list written somehow; without brackets the whole text is the list. */
export const parseList = (text: string): string[] => {
  const open = text.lastIndexOf('[');
  const rest = open < 0 ? text : text.slice(open + 1);
  const close = rest.indexOf(']');
  return (close < 0 ? rest : rest.slice(0, close))
    .split(',')
    .filter((item) => item.trim() !== '')
    .map(bare);
};

/** The items of a list written exactly as asked; null otherwise. */
export const parseListStrictly = (text: string): string[] | null => {
  const inner = bracketed(text);
  if (inner === undefined) return null;
  const items = inner.split(', ');
  if (!items.every((item) => /^"[^"]*"$/.test(item))) return null;
  return items.map((item) => item.slice(1, -1));
};
