/**
 * The pre-tokenizers of byte-level vocabularies in GGUF files: `tokenizer.ggml.pre` names one, and its list of patterns is
 * applied one after the other, each inside the pieces of the one before.
 */
import { GallopError } from '@gallop/core';
import { splitPatterns as patterns, type SplitPattern } from '../split/known-patterns.ts';

export interface GgufPreTokenizer {
  readonly patterns: readonly SplitPattern[];
  /** A piece that is a token as a whole is not taken apart. */
  readonly ignoreMerges?: boolean;
  /** Default of tokenizer.ggml.add_bos_token. */
  readonly addBeginning?: boolean;
  /** Default of tokenizer.ggml.add_sep_token. */
  readonly addSeparator?: boolean;
  /** Spaces become U+2581 and characters stand for themselves: no byte alphabet. */
  readonly plainText?: boolean;
  /** A run of line feeds that is a token as a whole is not taken apart. */
  readonly wholeLineBreaks?: boolean;
}

const table = new Map<string, GgufPreTokenizer>();

function add(names: string, entry: GgufPreTokenizer): void {
  for (const name of names.split(' ')) table.set(name, entry);
}

const { gpt2, llama3, qwen2, qwen35, digit, numbers, asciiTriples } = patterns;

add('llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano', {
  patterns: [llama3],
  ignoreMerges: true,
  addBeginning: true,
});
add('dbrx smaug-bpe glm4 chatglm-bpe', { patterns: [llama3] });
add('qwen2 deepseek-r1-qwen stablelm2 megrez hunyuan solar-open grok-2 kormo f2llmv2', { patterns: [qwen2] });
add('qwen35', { patterns: [qwen35] });
add(
  'gpt-2 phi-2 mpt olmo jais trillion exaone4 modern-bert granite-docling gigachat a.x-4.0 mellum jina-es jina-de jina-v2-es jina-v2-de',
  { patterns: [gpt2] },
);
add('jina-v1-en jina-v2-code roberta-bpe', { patterns: [gpt2], addSeparator: true });
add('starcoder refact command-r smollm codeshell exaone minerva-7b mellum2', { patterns: [digit, gpt2] });
add('falcon', { patterns: [patterns.falconPunctuation, gpt2, asciiTriples] });
add('default', { patterns: [patterns.defaultPunctuation, gpt2, numbers, asciiTriples] });
add('deepseek-v3 hunyuan-dense joyai-llm hy_v4', {
  patterns: [patterns.threeDigits, patterns.hanAndKana, patterns.deepseekWords],
});
add('deepseek-coder', {
  patterns: [patterns.lineBreak, patterns.spacedLetters, patterns.spacedPunctuation, patterns.hanAndHangul, digit],
});
add('bailingmoe bailingmoe2 llada-moe', { patterns: [patterns.bailing] });
add('gpt-4o llama4 kanana2 talkie minimax-m2', { patterns: [patterns.gpt4o] });
add('granite-embed-multi-97m', { patterns: [patterns.gpt4o], ignoreMerges: true });
add('jais-2', { patterns: [patterns.jais2] });
add('seed-coder', { patterns: [patterns.seedCoder] });
add('ufakzeka', { patterns: [patterns.turkish] });
add('minicpm5', { patterns: [patterns.threeDigits, patterns.digitRuns], ignoreMerges: true });
add('exaone-moe', { patterns: [patterns.exaoneWords] });
add('youtu', { patterns: [patterns.youtuScripts, patterns.youtuWords], ignoreMerges: true });
add('tiny_aya cohere2moe', { patterns: [patterns.thousands, patterns.gpt4o] });
add('spark2_5', { patterns: [patterns.threeDigits, patterns.hanAndKana, patterns.sparkWords, digit] });
add('laguna', { patterns: [patterns.lines, qwen2] });
add('tekken', { patterns: [patterns.tekken], ignoreMerges: true, addBeginning: true });
add('bloom poro-chat gpt3-finnish', { patterns: [patterns.bloom] });
add('viking', { patterns: [patterns.bloom, digit] });
add('gemma4 granite-embed-multi-311m', { patterns: [patterns.lines], plainText: true, wholeLineBreaks: true });
add('sarvam-moe', { patterns: [patterns.lines], plainText: true });

/**
 * The pre-tokenizer of a name; a file without one has 'default'.
 * @throws GallopError `unsupported` for a name that is not known.
 */
export function ggufPreTokenizer(name: string): GgufPreTokenizer {
  const entry = table.get(name);
  if (entry) return entry;
  throw new GallopError(
    'unsupported',
    `Expected a pre-tokenizer (tokenizer.ggml.pre) that is known: ${[...table.keys()].join(', ')}; received ${JSON.stringify(name)}. Use the model's tokenizer.json instead; guessing would give wrong tokens.`,
  );
}
