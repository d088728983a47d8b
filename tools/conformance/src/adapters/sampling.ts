/** Adapters of token sampling: the warp pipeline and the choice of a token, row by row. */
import { chooseByUniform, softmax, type WarpOptions, warpLogits } from '@gallop/core';
import { register, type TensorValue } from '../registry.ts';

/** Copies of the rows of a [rows, columns] tensor. */
function rowsOf({ shape: [rows, columns], data }: TensorValue): Float32Array[] {
  return Array.from({ length: rows }, (_, row) =>
    Float32Array.from(data.slice(row * columns, (row + 1) * columns), Number),
  );
}

function warpOptions({ logitBias, ...rest }: Readonly<Record<string, unknown>>): WarpOptions {
  return logitBias === undefined ? rest : { ...rest, logitBias: new Map(logitBias as [number, number][]) };
}

register('models', 'sampling', 'warp', ({ params, tensor }) => {
  const histories = rowsOf(tensor('tokens'));
  const logits = rowsOf(tensor('logits'));
  for (const [row, history] of histories.entries()) warpLogits(logits[row], history, warpOptions(params));
  return { logits: logits.map((row) => [...row]), probabilities: logits.map((row) => [...softmax(row)]) };
});

register('models', 'sampling', 'choose', ({ tensor, randoms }) => ({
  tokens: rowsOf(tensor('logits')).map((row, i) => chooseByUniform(row, Number(randoms.uniform.data[i]))),
}));
