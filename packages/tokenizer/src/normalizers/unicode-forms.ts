/**
 * NFC, NFD, NFKC, NFKD with offsets. The engine's String.normalize does the work; which source character each result came
 * from is found by decomposing the source character by character and following the parts through canonical reordering
 * (equal characters keep their order) and composition (a composed character uses up the parts of its decomposition).
 */
import type { AlignedText } from '../text/aligned-text.ts';
import { Rewriting } from '../text/changes.ts';
import { toCodePoints } from '../text/code-points.ts';
import type { Normalizer } from './normalizer.ts';

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

interface Parts {
  readonly codes: number[];
  readonly changes: number[];
}

/** The full decomposition, before reordering; parts after the first of one character are extra. */
function decompose(codes: Int32Array, form: 'NFD' | 'NFKD'): Parts {
  const parts: Parts = { codes: [], changes: [] };
  for (const code of codes) {
    if (code < 0xa0) {
      parts.codes.push(code);
      parts.changes.push(0);
      continue;
    }
    let change = 0;
    for (const part of toCodePoints(String.fromCodePoint(code).normalize(form))) {
      parts.codes.push(part);
      parts.changes.push(change);
      change = 1;
    }
  }
  return parts;
}

/** Brings parts into canonical order, given as the decomposed text itself. */
function reorder(parts: Parts, ordered: Int32Array): Parts {
  const waiting = new Map<number, number[]>();
  for (let at = parts.codes.length - 1; at >= 0; at--) {
    const list = waiting.get(parts.codes[at]);
    if (list) list.push(parts.changes[at]);
    else waiting.set(parts.codes[at], [parts.changes[at]]);
  }
  return { codes: [...ordered], changes: Array.from(ordered, (code) => waiting.get(code)?.pop() ?? 0) };
}

/** Groups ordered parts into the characters of the composed text. */
function compose(parts: Parts, composed: Int32Array): Rewriting {
  const rewriting = new Rewriting();
  const used = new Uint8Array(parts.codes.length);
  let next = 0;
  for (const code of composed) {
    while (used[next]) next++;
    const needed = code < 0xa0 ? [code] : toCodePoints(String.fromCodePoint(code).normalize('NFD'));
    let change = 1;
    let at = next;
    for (const part of needed) {
      while (at < parts.codes.length && (used[at] || parts.codes[at] !== part)) at++;
      if (at === parts.codes.length) break;
      used[at] = 1;
      change += parts.changes[at] - 1;
    }
    rewriting.push(code, change);
  }
  return rewriting;
}

/** A Unicode normal form. */
export function normalForm(form: NormalForm): Normalizer {
  const decomposed = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD';
  const normalize = (text: AlignedText): AlignedText => {
    const source = text.toString();
    const target = source.normalize(form);
    if (target === source) return text;
    const parts = reorder(decompose(text.codes, decomposed), toCodePoints(source.normalize(decomposed)));
    if (form !== decomposed) return compose(parts, toCodePoints(target)).apply(text);
    const rewriting = new Rewriting();
    parts.codes.forEach((code, at) => {
      rewriting.push(code, parts.changes[at]);
    });
    return rewriting.apply(text);
  };
  return { normalize, normalizeString: (text) => text.toWellFormed().normalize(form) };
}
