/** Colours of accepted drafts: each drafter has one, what the model chose itself has none. */

const ESCAPE = '\x1b';

/** Colours by drafter: cyan, green, yellow, magenta; blue for others. */
const COLOURS: Readonly<Record<string, number>> = {
  recycling: 36,
  pairs: 32,
  suffix: 33,
  lookup: 33,
  aded: 35,
};
const OTHER = 34;

/** Text in its drafter's colour; as it is when the model chose it. */
export const paintDraft = (text: string, proposer: string | undefined): string =>
  proposer === undefined ? text : `${ESCAPE}[${COLOURS[proposer] ?? OTHER}m${text}${ESCAPE}[0m`;

/** Whether a stream shows colours: a terminal, unless the user asked for none (no-color.org). */
export const showsColours = (stream: { readonly isTTY?: boolean }): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
