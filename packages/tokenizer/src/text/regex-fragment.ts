/**
 * Parts of a regular expression on the way from Oniguruma's syntax to JavaScript's, and what is known about each: with which
 * characters a match can begin, whether it can be empty, and which loops can stand at its end. From that follows whether a
 * loop around it could match one text in many ways, which a backtracking engine tries one by one: (a+)+ takes 2^n steps.
 * Such a loop is refused. The rule is careful: it also refuses some that are harmless, such as (?:ab|ac)+.
 */

/** Characters, as operands of a bracketed class with flag v. */
type CharacterSet = readonly string[];

export interface Fragment {
  /** In JavaScript's syntax. */
  readonly source: string;
  readonly first: CharacterSet;
  readonly nullable: boolean;
  /** With what the loops and options at its end begin; a round more competes with what follows. */
  readonly openLoops: readonly CharacterSet[];
  /** True if a text can match in several ways. */
  readonly ambiguous: () => boolean;
}

const never = (): boolean => false;

/** Something that matches no characters: an anchor, a look-around, nothing. */
export function zeroWidth(source: string): Fragment {
  return { source, first: [], nullable: true, openLoops: [], ambiguous: never };
}

/** One character of a set. @param set operand of a bracketed class; by default the source itself. */
export function oneOf(source: string, set: string = source): Fragment {
  return { source, first: [set], nullable: false, openLoops: [], ambiguous: never };
}

/** Repeats what a group matched: any text, or none. */
export function backReference(source: string): Fragment {
  return { ...zeroWidth(source), first: ['\\s\\S'] };
}

/** The same under other brackets. */
export function enclosed(open: string, inner: Fragment, close = ')'): Fragment {
  return { ...inner, source: `${open}${inner.source}${close}` };
}

/** Not taken back once matched, so that nothing in it is tried again. */
export function unrepeatable(source: string, inner: Fragment): Fragment {
  return { ...inner, source, openLoops: [], ambiguous: never };
}

export function concatenated(parts: readonly Fragment[]): Fragment {
  let result = zeroWidth('');
  const sources: string[] = [];
  for (const part of parts) {
    const before = result;
    sources.push(part.source);
    result = {
      source: '',
      first: before.nullable ? [...before.first, ...part.first] : before.first,
      nullable: before.nullable && part.nullable,
      openLoops: part.nullable ? [...before.openLoops, ...part.openLoops] : part.openLoops,
      ambiguous: () => before.ambiguous() || part.ambiguous() || meets(before.openLoops, part.first),
    };
  }
  return { ...result, source: sources.join('') };
}

export function alternated(parts: readonly Fragment[]): Fragment {
  if (parts.length === 1) return parts[0];
  return {
    source: parts.map(({ source }) => source).join('|'),
    first: parts.flatMap(({ first }) => first),
    nullable: parts.some(({ nullable }) => nullable),
    openLoops: parts.flatMap(({ openLoops }) => openLoops),
    ambiguous() {
      const seen: string[] = [];
      return parts.some(({ first, ambiguous }) => {
        const overlaps = intersect(seen, first);
        seen.push(...first);
        return overlaps || ambiguous();
      });
    },
  };
}

/** So many rounds are as bad as any number. */
const MANY_ROUNDS = 8;

/**
 * @param least and `most` number of rounds.
 * @throws SyntaxError for a loop that could match one text in many ways.
 */
export function repeated(source: string, inner: Fragment, least: number, most: number): Fragment {
  const overlaps = (): boolean => inner.ambiguous() || meets(inner.openLoops, inner.first);
  if (most > MANY_ROUNDS && overlaps()) {
    throw new SyntaxError('a loop can match the same text in many ways, which takes exponential time');
  }
  return {
    source,
    first: inner.first,
    nullable: inner.nullable || least === 0,
    openLoops: most > least ? [...inner.openLoops, inner.first] : inner.openLoops,
    ambiguous: most > 1 && most <= MANY_ROUNDS ? overlaps : inner.ambiguous,
  };
}

function meets(loops: readonly CharacterSet[], first: CharacterSet): boolean {
  return loops.some((loop) => intersect(loop, first));
}

let samples: string | undefined;

/** Every assigned character of the first four planes. */
function allCharacters(): string {
  if (samples === undefined) {
    const parts: string[] = [];
    for (let code = 0; code < 0x40000; code++) if ((code & 0x1ff800) !== 0xd800) parts.push(String.fromCodePoint(code));
    samples = parts.join('');
  }
  return samples;
}

function intersect(one: CharacterSet, other: CharacterSet): boolean {
  if (one.length === 0 || other.length === 0) return false;
  return new RegExp(`[[${one.join('')}]&&[${other.join('')}]]`, 'v').test(allCharacters());
}
