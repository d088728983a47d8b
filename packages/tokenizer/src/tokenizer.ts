/**
 * The tokenizer. Text → ids: added tokens are cut out of the raw text, every piece between them is normalized by itself,
 * cut at the added tokens that are looked for in normalized text, pre-tokenized and encoded; special tokens go around the
 * result. Ids → text: token texts through the decoder.
 */
import { GallopError } from '@gallop/core';
import type { AddedToken } from './added-tokens/added-token.ts';
import { TokenFinder } from './added-tokens/token-finder.ts';
import { type ChatMessage, type ChatTemplateOptions, renderChat } from './chat/chat-template.ts';
import { DecodeStream } from './decode-stream.ts';
import { DetailedEncoder } from './detailed-encoder.ts';
import { Encoding } from './encoding.ts';
import { FastEncoder } from './fast-encoder.ts';
import { type PaddingOptions, padBatch } from './padding.ts';
import { layoutOf, TEXT } from './post-processors/post-processor.ts';
import { IdBuffer } from './split/piece-cache.ts';
import type { SpecialTokens, TokenizerParts } from './tokenizer-parts.ts';
import { type TruncationOptions, truncate } from './truncation.ts';

export interface EncodeOptions {
  /** Put the tokenizer's special tokens (beginning of text, separators) around the text. Default true. */
  readonly addSpecialTokens?: boolean;
  /** Turn special tokens that are written in the text into their ids. Default true; set false for untrusted text. */
  readonly parseSpecial?: boolean;
}

export interface DetailedEncodeOptions extends EncodeOptions {
  /** Cut to a length; 'file': as the tokenizer.json says. Default: off. */
  readonly truncation?: TruncationOptions | 'file';
  /** Pad to a length; 'file': as the tokenizer.json says. Default: off. */
  readonly padding?: PaddingOptions | 'file';
}

export interface DecodeOptions {
  /** Leave special tokens out. Default false. */
  readonly skipSpecialTokens?: boolean;
}

/** One text, or a text and its pair. */
export type TextInput = string | readonly [first: string, second: string];

/** Text ↔ token ids. Made by `tokenizerFromJson` or `tokenizerFromGguf`. */
export class Tokenizer {
  readonly #parts: TokenizerParts;
  readonly #addedById: ReadonlyMap<number, AddedToken>;
  /** Contents of the special tokens. */
  readonly #specialTexts: ReadonlySet<string>;
  readonly #detailed: DetailedEncoder;
  #fast: FastEncoder | null | undefined;
  readonly #layouts: Map<boolean, Int32Array> = new Map();
  readonly #finders: Map<boolean, { raw: TokenFinder; normalized: TokenFinder }> = new Map();

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.#addedById = new Map(parts.addedTokens.map((token) => [token.id, token]));
    this.#specialTexts = new Set(parts.addedTokens.flatMap((token) => (token.special ? token.content : [])));
    this.#detailed = new DetailedEncoder(parts);
  }

  /** One more than the largest token id. */
  get vocabularySize(): number {
    return this.#parts.addedTokens.reduce(
      (size, token) => Math.max(size, token.id + 1),
      this.#parts.model.vocabulary.size,
    );
  }

  /** Ids of the tokens with a role. */
  get specialTokens(): SpecialTokens {
    return this.#parts.specialTokens;
  }

  /** Tokens after which generation ends. */
  get endOfGeneration(): ReadonlySet<number> {
    return this.#parts.endOfGeneration;
  }

  /** True if there is a chat template (of that name). */
  hasChatTemplate(name = 'default'): boolean {
    return this.#parts.chatTemplates.has(name);
  }

  /** The id of a token text, undefined if there is none. */
  tokenToId(token: string): number | undefined {
    const added = this.#parts.addedTokens.find(({ content }) => content === token);
    const id = added ? added.id : this.#parts.model.vocabulary.idOf(token);
    return id < 0 ? undefined : id;
  }

  /**
   * The text of a token as it stands in the vocabulary, undefined for an id without a token. Of an added token that is
   * looked for in normalized text it is the normalized text.
   */
  idToToken(id: number): string | undefined {
    const added = this.#addedById.get(id);
    if (!added) return this.#parts.model.vocabulary.text(id);
    const { normalizer } = this.#parts;
    return added.normalized && normalizer ? normalizer.normalizeString(added.content) : added.content;
  }

  /** True if `decode` with skipSpecialTokens leaves the token out: its text is the content of a special token. */
  isSpecial(id: number): boolean {
    return this.#specialTexts.has(this.idToToken(id) ?? '');
  }

  /** Token ids of a text. */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { addSpecialTokens = true, parseSpecial = true } = options;
    const fast = this.#fastEncoder();
    if (!fast) return this.encodeDetailed(text, options).ids;
    const out = new IdBuffer(Math.max(64, text.length >> 1));
    for (const id of this.#layoutFor(addSpecialTokens)) {
      if (id === TEXT) this.#encodeFast(fast, text, parseSpecial, out);
      else out.push(id);
    }
    return out.toArray();
  }

  #layoutFor(addSpecialTokens: boolean): Int32Array {
    let layout = this.#layouts.get(addSpecialTokens);
    if (!layout) this.#layouts.set(addSpecialTokens, (layout = layoutOf(this.#parts.postProcessor, addSpecialTokens)));
    return layout;
  }

  #encodeFast(fast: FastEncoder, text: string, parseSpecial: boolean, out: IdBuffer): void {
    const { raw, normalized } = this.#findersFor(parseSpecial);
    for (const { start, end, token } of raw.segments(text)) {
      if (token) {
        out.push(token.id);
        continue;
      }
      const clean = fast.normalize(text.slice(start, end));
      for (const segment of normalized.segments(clean)) {
        if (segment.token) out.push(segment.token.id);
        else fast.encode(clean.slice(segment.start, segment.end), start === 0 && segment.start === 0, out);
      }
    }
  }

  /** Tokens of a text or a pair with texts, offsets and masks. */
  encodeDetailed(input: TextInput, options: DetailedEncodeOptions = {}): Encoding {
    return this.encodeBatch([input], options)[0];
  }

  /** As `encodeDetailed` for several inputs, padded to one length if padding is asked for. */
  encodeBatch(inputs: readonly TextInput[], options: DetailedEncodeOptions = {}): Encoding[] {
    const truncation = options.truncation === 'file' ? this.#parts.truncation : options.truncation;
    const padding = options.padding === 'file' ? this.#parts.padding : options.padding;
    const encodings = inputs.map((input) => this.#encodeOne(input, options, truncation));
    return padding ? padBatch(encodings, padding) : encodings;
  }

  #encodeOne(input: TextInput, options: EncodeOptions, truncation: TruncationOptions | undefined): Encoding {
    const { addSpecialTokens = true, parseSpecial = true } = options;
    const [text, pair] = typeof input === 'string' ? [input] : input;
    const finders = this.#findersFor(parseSpecial);
    let first = this.#detailed.encode(text, 0, finders);
    let second = pair === undefined ? undefined : this.#detailed.encode(pair, 1, finders);
    const { postProcessor } = this.#parts;
    if (truncation) {
      const added = addSpecialTokens ? postProcessor?.addedTokens(second !== undefined) : undefined;
      [first, second] = truncate(truncation, added ?? 0, first, second);
    }
    const texts = second ? [first, second] : [first];
    return Encoding.merge(postProcessor ? postProcessor.process(texts, addSpecialTokens) : texts);
  }

  /** Text of token ids. Ids without a token are left out. */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    return this.#decodeIds(ids, options.skipSpecialTokens ?? false, true);
  }

  /** A stream that takes ids one by one and never gives out half a character. */
  createDecodeStream(options: DecodeOptions = {}): DecodeStream {
    const skip = options.skipSpecialTokens ?? false;
    return new DecodeStream((ids, atStart) => this.#decodeIds(ids, skip, atStart));
  }

  #decodeIds(ids: ArrayLike<number>, skipSpecial: boolean, atStart: boolean): string {
    const tokens: string[] = [];
    for (let index = 0; index < ids.length; index++) {
      const text = this.idToToken(ids[index]);
      if (text !== undefined && !(skipSpecial && this.#specialTexts.has(text))) tokens.push(text);
    }
    const { decoder } = this.#parts;
    if (decoder) return decoder.decode(tokens, atStart).join('');
    return (atStart || tokens.length === 0 ? '' : ' ') + tokens.join(' ');
  }

  /**
   * The text of a conversation in the form that the model was trained on; encode it with addSpecialTokens: false.
   * @throws GallopError `unsupported` without a chat template, `invalid-argument` where the template rejects the messages.
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    const name = options.template ?? (options.tools && this.hasChatTemplate('tool_use') ? 'tool_use' : 'default');
    const template = this.#parts.chatTemplates.get(name);
    if (template === undefined) {
      const known = [...this.#parts.chatTemplates.keys()].join(', ') || 'none';
      throw new GallopError(
        'unsupported',
        `Expected a chat template named ${name}; this tokenizer has: ${known}. Use an instruction-tuned model or renderChatTemplate with a template of your own.`,
      );
    }
    return renderChat(template, messages, {
      ...options,
      variables: { ...this.#tokenVariables(), ...options.variables },
    });
  }

  /** bos_token and the like, as templates see them. */
  #tokenVariables(): Record<string, string> {
    const variables: Record<string, string> = {};
    const set = (name: string, id: number | undefined): void => {
      const text = id === undefined ? undefined : this.idToToken(id);
      if (text !== undefined) variables[name] = text;
    };
    const tokens = this.#parts.specialTokens;
    set('bos_token', tokens.beginningOfText);
    set('eos_token', tokens.endOfText);
    set('unk_token', tokens.unknown);
    set('pad_token', tokens.padding);
    return variables;
  }

  #findersFor(parseSpecial: boolean): { raw: TokenFinder; normalized: TokenFinder } {
    let finders = this.#finders.get(parseSpecial);
    if (!finders) {
      const { addedTokens, overlapRule, normalizer } = this.#parts;
      const used = addedTokens.filter((token) => parseSpecial || !token.special);
      finders = {
        raw: new TokenFinder(
          used.filter((token) => !token.normalized),
          overlapRule,
        ),
        normalized: new TokenFinder(
          used.filter((token) => token.normalized),
          overlapRule,
          (token) => (normalizer ? normalizer.normalizeString(token.content) : token.content),
        ),
      };
      this.#finders.set(parseSpecial, finders);
    }
    return finders;
  }

  #fastEncoder(): FastEncoder | null {
    const { model, normalizer, preTokenizer } = this.#parts;
    return (this.#fast ??= FastEncoder.for(model, normalizer, preTokenizer) ?? null);
  }
}
