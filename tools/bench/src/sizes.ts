/** How much work the benchmarks do unless options say otherwise, and how much in a quick look at whether they run. */

export interface Sizes {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly decodeRounds: number;
  readonly rows: readonly number[];
  readonly contexts: readonly number[];
  readonly verifyRounds: number;
  readonly verifySeconds: number;
  readonly vocabulary: number;
  readonly tokenizerRounds: number;
  readonly warmUpMilliseconds: number;
}

export const FULL: Sizes = {
  promptTokens: 512,
  newTokens: 128,
  decodeRounds: 5,
  rows: [1, 2, 4, 8, 16, 32, 64],
  contexts: [64, 512],
  verifyRounds: 60,
  verifySeconds: 20,
  vocabulary: 150_000,
  tokenizerRounds: 5,
  warmUpMilliseconds: 500,
};

export const QUICK: Sizes = {
  promptTokens: 64,
  newTokens: 16,
  decodeRounds: 1,
  rows: [1, 4, 16],
  contexts: [64],
  verifyRounds: 5,
  verifySeconds: 2,
  vocabulary: 150_000,
  tokenizerRounds: 1,
  warmUpMilliseconds: 50,
};
