/** What docs/adding-a-model.md says, done: its file is the one compiled here, and the network that it adds is right. */
import { readFileSync } from 'node:fs';
import { createWasmBackend } from '@gallop/backend-wasm';
import type { HuggingFaceModel } from '@gallop/formats';
import { architectures, loadLanguageModel } from '@gallop/models';
import { beforeAll, expect, test } from 'vitest';
import { tinyCheckpoint } from './testing/checkpoint.ts';
import { Draws, Oracle, runJourney } from './testing/index.ts';
import { stableLm } from './testing/stablelm.ts';

const config = {
  model_type: 'stablelm',
  hidden_size: 32,
  intermediate_size: 40,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  num_hidden_layers: 2,
  vocab_size: 50,
  max_position_embeddings: 64,
  layer_norm_eps: 1e-5,
  rope_theta: 10000,
  partial_rotary_factor: 0.25,
};
const [hidden, feedForward, heads, headSize, vocab] = [32, 40, 2, 16, 50];

function shapes(): Record<string, number[]> {
  const all: Record<string, number[]> = {
    'model.embed_tokens.weight': [vocab, hidden],
    'model.norm.weight': [hidden],
    'model.norm.bias': [hidden],
    'lm_head.weight': [vocab, hidden],
  };
  for (let layer = 0; layer < 2; layer++) {
    const at = `model.layers.${layer}.`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm'])
      for (const kind of ['weight', 'bias']) all[`${at}${norm}.${kind}`] = [hidden];
    for (const [name, rows] of [
      ['q', heads * headSize],
      ['k', headSize],
      ['v', headSize],
    ] as const) {
      all[`${at}self_attn.${name}_proj.weight`] = [rows, hidden];
      all[`${at}self_attn.${name}_proj.bias`] = [rows];
    }
    all[`${at}self_attn.o_proj.weight`] = [hidden, heads * headSize];
    for (const name of ['gate', 'up']) all[`${at}mlp.${name}_proj.weight`] = [feedForward, hidden];
    all[`${at}mlp.down_proj.weight`] = [hidden, feedForward];
  }
  return all;
}

let files: HuggingFaceModel;
const tokens = new Draws(3).tokens(14, vocab);

beforeAll(async () => {
  files = await tinyCheckpoint(config, shapes());
});

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * b[i]));

/** The network once more, in float64 and in the plainest form. → logits of every row */
async function plainLogits(ids: Int32Array): Promise<number[][]> {
  const values = new Map<string, number[][]>();
  for (const tensor of files.weights.tensors) {
    const bytes = (await files.weights.read(tensor)).slice();
    const all = Array.from(new Float32Array(bytes.buffer));
    const columns = tensor.shape.at(-1)!;
    values.set(
      tensor.name,
      Array.from({ length: all.length / columns }, (_, row) => all.slice(row * columns, (row + 1) * columns)),
    );
  }
  const vector = (name: string): number[] => values.get(name)![0];
  const linear = (x: number[], name: string): number[] => {
    const bias = values.get(`${name}.bias`)?.[0];
    return values.get(`${name}.weight`)!.map((row, i) => dot(row, x) + (bias?.[i] ?? 0));
  };
  const norm = (x: number[], name: string): number[] => {
    const mean = sum(x) / x.length;
    const scale = 1 / Math.sqrt(sum(x.map((value) => (value - mean) ** 2)) / x.length + 1e-5);
    return x.map((value, i) => (value - mean) * scale * vector(`${name}.weight`)[i] + vector(`${name}.bias`)[i]);
  };
  const rotate = (head: number[], position: number): number[] => {
    const [half, turned] = [2, [...head]];
    for (let i = 0; i < half; i++) {
      const angle = position * 10000 ** (-i / half);
      turned[i] = head[i] * Math.cos(angle) - head[i + half] * Math.sin(angle);
      turned[i + half] = head[i + half] * Math.cos(angle) + head[i] * Math.sin(angle);
    }
    return turned;
  };
  let rows = Array.from(ids, (id) => values.get('model.embed_tokens.weight')![id]);
  for (let layer = 0; layer < 2; layer++) {
    const at = `model.layers.${layer}.`;
    const normed = rows.map((x) => norm(x, `${at}input_layernorm`));
    const keys = normed.map((n, position) => rotate(linear(n, `${at}self_attn.k_proj`), position));
    const seen = normed.map((n) => linear(n, `${at}self_attn.v_proj`));
    rows = rows.map((x, position) => {
      const query = linear(normed[position], `${at}self_attn.q_proj`);
      const mixed = Array.from({ length: heads }, (_, head) => {
        const q = rotate(query.slice(head * headSize, (head + 1) * headSize), position);
        const scores = keys.slice(0, position + 1).map((key) => Math.exp(dot(q, key) / Math.sqrt(headSize)));
        return Array.from(
          { length: headSize },
          (_, d) =>
            dot(
              scores,
              seen.slice(0, position + 1).map((v) => v[d]),
            ) / sum(scores),
        );
      }).flat();
      const after = linear(mixed, `${at}self_attn.o_proj`).map((value, i) => x[i] + value);
      const m = norm(after, `${at}post_attention_layernorm`);
      const up = linear(m, `${at}mlp.up_proj`);
      const gated = linear(m, `${at}mlp.gate_proj`).map((gate, i) => (gate / (1 + Math.exp(-gate))) * up[i]);
      return linear(gated, `${at}mlp.down_proj`).map((value, i) => after[i] + value);
    });
  }
  return rows.map((x) => linear(norm(x, 'model.norm'), 'lm_head'));
}

test('the page shows the file that is compiled and tested', () => {
  const page = readFileSync(new URL('../../../docs/adding-a-model.md', import.meta.url), 'utf8');
  const file = readFileSync(new URL('./testing/stablelm.ts', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`ts\n${file.trimEnd()}\n\`\`\``);
});

test('before it is added, the checkpoint is refused with a way forward', async () => {
  const backend = await createWasmBackend({ threads: 1 });
  await expect(loadLanguageModel(files, backend)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/"stablelm"; nearest are .*docs\/adding-a-model\.md/),
  });
  backend.dispose();
});

test('the added network computes its equations', async () => {
  const backend = await createWasmBackend({ threads: 1 });
  const model = await loadLanguageModel(files, backend, {
    activations: 'f32',
    architectures: [...architectures, stableLm],
  });
  const { logits } = await model.openSession().forward({ ids: tokens, want: { logits: 'all' } });
  const expected = await plainLogits(tokens);
  expected.flat().forEach((value, i) => {
    expect(Math.abs(logits![i] - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
  });
  backend.dispose();
});

test('its sessions repeat one token at a time', async () => {
  const backend = await createWasmBackend({ threads: 1 });
  const model = await loadLanguageModel(files, backend, { architectures: [...architectures, stableLm] });
  const document = [...tokens];
  const report = await runJourney(model, new Oracle(model, document), { seed: 1, steps: 10, document });
  expect(report.mismatches).toEqual([]);
  backend.dispose();
});
