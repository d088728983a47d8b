/**
 * UnicodeScripts: a new piece where the script differs from the last known one. Hiragana, Katakana and U+30FC count as Han.
 * The space and characters without a script in Unicode 9 never start a piece; before the first start they are dropped.
 */
import { unicode9Scripts } from '../text/unicode-9-scripts.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { scanned } from './scanned.ts';

/** The scripts of Unicode 9. */
const names: readonly string[] = [
  'Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki',
  'Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee',
  'Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Duployan Egyptian_Hieroglyphs Elbasan Ethiopic',
  'Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana',
  'Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana',
  'Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian',
  'Mahajani Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive',
  'Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki',
  'Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage',
  'Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan',
  'Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog',
  'Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic',
  'Vai Warang_Citi Yi',
].flatMap((line) => line.split(' '));

/** Characters whose script was another one in Unicode 9. */
const formerScripts: ReadonlyMap<number, string> = new Map([
  [0x589, 'Common'],
  [0x61c, 'Common'],
  [0x953, 'Devanagari'],
  [0x954, 'Devanagari'],
  [0x30fc, 'Han'],
]);

/** Finds and remembers the scripts of characters. */
class ScriptTable {
  readonly #known: Uint8Array = unicode9Scripts();
  readonly #patterns: readonly RegExp[] = names.map((name) => new RegExp(`^\\p{Script=${name}}`, 'u'));
  readonly #scripts: Map<number, string | undefined> = new Map();

  /** The script of a character, undefined for one that has none. */
  of(code: number): string | undefined {
    if (!this.#scripts.has(code)) this.#scripts.set(code, this.#find(code));
    return this.#scripts.get(code);
  }

  #find(code: number): string | undefined {
    if ((this.#known[code >> 3] & (1 << (code & 7))) === 0) return undefined;
    const former = formerScripts.get(code);
    if (former) return former;
    const character = String.fromCodePoint(code);
    const script = names[this.#patterns.findIndex((pattern) => pattern.test(character))];
    return script === 'Hiragana' || script === 'Katakana' ? 'Han' : script;
  }
}

let table: ScriptTable | undefined;

export const unicodeScripts: PreTokenizer = scanned((codes, at, end) => {
  table ??= new ScriptTable();
  const script = table.of(codes[at]);
  let stop = at + 1;
  if (script === undefined) {
    while (stop < end && table.of(codes[stop]) === undefined) stop++;
    return -stop;
  }
  for (; stop < end; stop++) {
    const other = table.of(codes[stop]);
    if (other !== undefined && other !== script) break;
  }
  return stop;
});
