/** Texts of many scripts, with what is rare in files and common in attacks: lone surrogates, controls, long repeats. */
import type { Random } from '../random.ts';

const pools: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  '0123456789\u0663\u0967\u00bd\u00b2',
  ' \t\n\r\u00a0\u0085\u2003\u3000\u2028',
  '\'".,!?;:-_/\\()[]{}<>@#$%^&*+=~`|\u2014\u2026\u20ac',
  '\u00e9\u00e0\u00fc\u00f1\u00c5\u00df\u0130\u0131\u017f\u1e9e\u212b\u01c5',
  '\u0301\u0308\u0323\u0345\u20d0\u093f\u0e31',
  '中国文字日本語\u3400豈',
  'あアーん\uff76\u3099',
  '한국어\u1112\u1161\u11ab',
  'مرحبا\u064fשלום\u05b8',
  'नमस्ते\u094d',
  'съешьЁй\u03a3\u03c3\u03c2ά',
  '\u200b\u200c\u200d\u00ad\ufeff\u2060',
  '\u0000\u0001\u0007\u001f\u007f\u009f\ufffd\uffff\ue000',
  '\u2581_#',
  '\ufb01\uff21\u2460\u2126\u1e9b',
];
const astral: readonly string[] = ['😀', '👨\u200d👩', '🇩🇪', '𝓯', '𠀀', '\u{e0001}', '\u{10ffff}', '❤\ufe0f'];
const surrogates: readonly string[] = ['\ud800', '\udc00', '\udfff\ud83d', '\ud83d'];

function run(random: Random): string {
  const kind = random.below(20);
  if (kind === 0) return random.pick(surrogates);
  if (kind <= 2) return random.pick(astral);
  const pool = random.pick(pools);
  if (kind === 3) return pool.charAt(random.below(pool.length)).repeat(random.between(1, 200));
  return random.list(1, 7, () => pool.charAt(random.below(pool.length))).join('');
}

/** @param extras texts to put in between, such as the special tokens of a tokenizer. */
export function randomText(random: Random, extras: readonly string[] = []): string {
  if (random.chance(0.05)) return '';
  return random
    .list(1, 16, () => (extras.length > 0 && random.chance(0.15) ? random.pick(extras) : run(random)))
    .join(random.chance(0.3) ? ' ' : '');
}
