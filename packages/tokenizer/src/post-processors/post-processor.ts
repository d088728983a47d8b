/**
 * Post-processors put special tokens around texts. All of them come down to two things: a template for one text and one
 * for a pair, and a treatment of offsets that happens even where no special tokens are wanted.
 */
import { Encoding } from '../encoding.ts';

/** One part of a template: special tokens, or the first (0) or second (1) text. */
export type TemplatePart =
  | {
      readonly kind: 'special';
      readonly ids: readonly number[];
      readonly tokens: readonly string[];
      readonly typeId: number;
    }
  | { readonly kind: 'text'; readonly text: 0 | 1; readonly typeId: number };

export interface Template {
  readonly single: readonly TemplatePart[];
  readonly pair: readonly TemplatePart[];
  /** True if overflowing parts get the type ids of the template too; otherwise they keep 0 and 1. */
  readonly typesOverflow: boolean;
}

export interface PostProcessor {
  readonly template: Template | undefined;
  /** What is done to the encoding of each text. */
  readonly treat: ((encoding: Encoding) => Encoding) | undefined;
}

/** Post-processors one after the other; of several templates the last counts. */
export function sequence(parts: readonly PostProcessor[]): PostProcessor {
  const treatments = parts.flatMap((part) => part.treat ?? []);
  return {
    template: parts.findLast((part) => part.template)?.template,
    treat:
      treatments.length > 0 ? (encoding) => treatments.reduce((value, treat) => treat(value), encoding) : undefined,
  };
}

/** The template without its special tokens: texts in their order with their type ids. */
export function textsOnly(template: Template | undefined): Template | undefined {
  const texts = (parts: readonly TemplatePart[]): TemplatePart[] => parts.filter((part) => part.kind === 'text');
  return template && { ...template, single: texts(template.single), pair: texts(template.pair) };
}

/** Number of special tokens that a template adds. */
export function addedCount(template: Template | undefined, pair: boolean): number {
  if (!template) return 0;
  return (pair ? template.pair : template.single).reduce(
    (sum, part) => sum + (part.kind === 'special' ? part.ids.length : 0),
    0,
  );
}

const plain: Template = {
  single: [{ kind: 'text', text: 0, typeId: 0 }],
  pair: [
    { kind: 'text', text: 0, typeId: 0 },
    { kind: 'text', text: 1, typeId: 1 },
  ],
  typesOverflow: true,
};

function withType(text: Encoding, typeId: number): Encoding {
  return text.with({ typeIds: new Uint8Array(text.length).fill(typeId) });
}

/** The texts as the template types them. */
function typed(parts: readonly TemplatePart[], index: 0 | 1, text: Encoding): Encoding {
  const part = parts.find((one) => one.kind === 'text' && one.text === index);
  return part ? withType(text, part.typeId) : text;
}

function apply(parts: readonly TemplatePart[], texts: readonly (Encoding | undefined)[], setTypes: boolean): Encoding {
  return Encoding.join(
    parts.flatMap((part) => {
      if (part.kind === 'special') return Encoding.special(part.ids, part.tokens, part.typeId);
      const text = texts[part.text];
      if (!text) return [];
      return setTypes ? withType(text, part.typeId) : text;
    }),
  );
}

/**
 * Puts the texts into the template, their overflowing parts too: for each part of the first text, that part with the main
 * second text and then with each part of it; last the main first text with each part of the second.
 */
export function assemble(given: Template | undefined, first: Encoding, second?: Encoding): Encoding {
  const template = given ?? plain;
  const parts = second ? template.pair : template.single;
  const mainFirst = typed(parts, 0, first);
  const mainSecond = second && typed(parts, 1, second);
  const overflowing: Encoding[] = [];
  const add = (one: Encoding, other?: Encoding): void => {
    overflowing.push(apply(parts, [one, other], template.typesOverflow));
  };
  for (const part of first.overflowing) {
    add(part, mainSecond);
    for (const other of second?.overflowing ?? []) add(part, other);
  }
  for (const other of second?.overflowing ?? []) add(mainFirst, other);
  return apply(parts, [first, second], true).with({}, overflowing);
}
