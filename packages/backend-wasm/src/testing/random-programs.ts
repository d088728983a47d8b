/**
 * Random command lists that can be run on any backend, for comparing backends bit by bit. A program gets the same inputs
 * everywhere, because they come from a seeded generator, and returns the bytes it computed by name.
 */
import {
  type Backend,
  packWeight,
  Recorder,
  type Tensor,
  type Weight,
  type WeightFormat,
  weightBytes,
} from '@gallop/tensor';

export type Results = Map<string, Uint8Array>;

/** Seeded numbers: a 32-bit linear congruential generator, high bits only. */
export class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, below). */
  integer(below: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  /** Between -size and size. */
  float(size = 1): number {
    return (this.integer(2 ** 24) / 2 ** 23 - 1) * size;
  }

  floats(count: number, size = 1): Float32Array {
    return Float32Array.from({ length: count }, () => this.float(size));
  }
}

/** Where a block of a format keeps its f16 scales, and how long the block is. */
const scaleOffsets: Readonly<Record<string, readonly [blockBytes: number, ...offsets: number[]]>> = {
  F16: [2, 0],
  Q4_0: [18, 0],
  Q4_1: [20, 0, 2],
  Q5_0: [22, 0],
  Q5_1: [24, 0, 2],
  Q8_0: [34, 0],
  Q2_K: [84, 80, 82],
  Q3_K: [110, 108],
  Q4_K: [144, 0, 2],
  Q5_K: [176, 0, 2],
  Q6_K: [210, 208],
};

/** Rows as a file stores them: random codes, finite scales of every size, subnormal ones too. */
export function randomRows(numbers: Numbers, format: WeightFormat, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  if (format === 'F32') {
    for (let at = 0; at < into.length; at += 4) view.setFloat32(at, numbers.float(), true);
    return;
  }
  for (let at = 0; at < into.length; at++) into[at] = numbers.integer(256);
  if (format === 'BF16') {
    const sizes = new DataView(new ArrayBuffer(4));
    for (let at = 0; at < into.length; at += 2) {
      sizes.setFloat32(0, numbers.float());
      view.setUint16(at, sizes.getUint16(0), true);
    }
    return;
  }
  const [blockBytes, ...offsets] = scaleOffsets[format]!;
  for (let block = 0; block < into.length; block += blockBytes)
    for (const offset of offsets)
      view.setUint16(
        block + offset,
        (numbers.integer(2) << 15) | (numbers.integer(14) << 10) | numbers.integer(1024),
        true,
      );
}

/** A random matrix in panels. */
export async function randomWeight(
  backend: Backend,
  numbers: Numbers,
  format: WeightFormat,
  rows: number,
  columns: number,
): Promise<Weight> {
  const { address } = backend.allocate(weightBytes(format, rows, columns));
  return packWeight(backend, format, rows, columns, address, (_first, _count, into) =>
    randomRows(numbers, format, into),
  );
}

const copy = (tensor: Tensor): Uint8Array => {
  const bytes = tensor.memory.bytes();
  return bytes.slice(tensor.byteOffset, tensor.byteOffset + tensor.byteLength);
};

/** Linear layers of one format for several row counts, and embeddings. 37 outputs leave a panel partly filled. */
export async function linearProgram(backend: Backend, format: WeightFormat, seed: number): Promise<Results> {
  const numbers = new Numbers(seed);
  const outputs = 37;
  const columns = 512;
  const weight = await randomWeight(backend, numbers, format, outputs, columns);
  const recorder = new Recorder(backend);
  const results = new Map<string, Tensor>();
  const bias = recorder.upload(numbers.floats(outputs));
  for (const rows of [1, 2, 3, 5, 8, 17]) {
    const x = recorder.upload(numbers.floats(rows * columns, 10 ** numbers.float(3)), [rows, columns]);
    results.set(`f32 rows ${rows}`, recorder.linear(x, weight, rows % 2 ? { bias } : {}));
    if (!weight.isQuantized) continue;
    const q8 = recorder.quantize(x);
    results.set(`codes ${rows}`, q8);
    results.set(`q8 rows ${rows}`, recorder.linear(q8, weight));
    results.set(`sum rows ${rows}`, recorder.linear(q8, weight, { addTo: recorder.linear(x, weight) }));
  }
  results.set('embed', recorder.embed(weight, recorder.upload(Int32Array.from([0, 36, 17, 3])), 1.5));
  recorder.flush();
  const bytes = new Map([...results].map(([name, tensor]) => [name, copy(tensor)]));
  recorder.dispose();
  return bytes;
}

/** Norms, rotary embedding, gates, additions, soft caps and top-k over rows of awkward lengths. */
export function rowsProgram(backend: Backend, seed: number): Results {
  const numbers = new Numbers(seed);
  const recorder = new Recorder(backend);
  const results = new Map<string, Tensor>();
  for (const [rows, columns] of [
    [1, 576],
    [3, 640],
    [17, 96],
    [2, 1280],
  ] as const) {
    const make = (size = 3): Tensor => recorder.upload(numbers.floats(rows * columns, size), [rows, columns]);
    const weight = recorder.upload(numbers.floats(columns));
    const name = `${rows} × ${columns}`;
    results.set(`norm ${name}`, recorder.rmsNorm(make(), weight, 1e-6));
    results.set(`norm q8 ${name}`, recorder.rmsNorm(make(1e-3), weight, 1e-5, { dtype: 'q8' }));
    results.set(`norm sum ${name}`, recorder.rmsNorm(make(), weight, 1e-5, { addTo: make() }));
    for (const pairing of ['halves', 'adjacent'] as const) {
      const x = make();
      recorder.rope(x, recorder.upload(numbers.floats(rows * 32), [rows, 32]), columns / 32, pairing);
      results.set(`rope ${pairing} ${name}`, x);
    }
    for (const activation of ['silu', 'gelu-tanh'] as const)
      for (const dtype of ['f32', 'q8'] as const)
        results.set(`${activation} ${dtype} ${name}`, recorder.gated(make(100), make(), activation, dtype));
    const capped = recorder.add(make(100), make());
    recorder.softcap(capped, 30);
    results.set(`softcap ${name}`, capped);
    const ties = numbers.floats(rows * columns, 5).map(Math.round);
    const top = recorder.topK(recorder.upload(ties, [rows, columns]), 20);
    results.set(`top values ${name}`, top.values);
    results.set(`top ids ${name}`, top.ids);
  }
  recorder.flush();
  const bytes = new Map([...results].map(([name, tensor]) => [name, copy(tensor)]));
  recorder.dispose();
  return bytes;
}

/** Attention over a paged cache: chains, windows and tree rows with extra slots. */
export function attentionProgram(backend: Backend, dtype: 'f16' | 'f32', seed: number): Results {
  const numbers = new Numbers(seed);
  const recorder = new Recorder(backend);
  const [pageSlots, heads, slots] = [32, 2, 160];
  const results = new Map<string, Tensor>();
  for (const headSize of [64, 48, 20]) {
    const half = pageSlots * heads * headSize * (dtype === 'f16' ? 2 : 4);
    const addresses = Float64Array.from({ length: slots / pageSlots }, () => backend.allocate(2 * half).address);
    const pages = backend.allocate(addresses.byteLength);
    pages.bytes().set(new Uint8Array(addresses.buffer));
    const layer = { pages, pageSlots, keyOffset: 0, valueOffset: half, heads, headSize, dtype };
    const width = heads * headSize;
    const keys = recorder.upload(numbers.floats(slots * width, 2), [slots, width]);
    const values = recorder.upload(numbers.floats(slots * width, 1e-2), [slots, width]);
    const order = Int32Array.from({ length: slots }, (_, index) => (index * 7) % slots);
    recorder.cacheWrite(layer, keys, values, recorder.upload(order));
    recorder.cacheMove(layer, recorder.upload(Int32Array.of(5, 9)), recorder.upload(Int32Array.of(70, 5)));
    for (const rows of [1, 2, 3, 5, 9])
      for (const softcap of [0, 20]) {
        const spans: number[] = [];
        const extras: number[] = [];
        for (let row = 0; row < rows; row++) {
          const end = 1 + numbers.integer(120);
          const extraCount = numbers.integer(4);
          spans.push(numbers.integer(2) ? numbers.integer(end) : 0, end, extras.length, extraCount);
          for (let i = 0; i < extraCount; i++) extras.push(121 + numbers.integer(slots - 121));
        }
        extras.push(0);
        const visibility = {
          spans: recorder.upload(Int32Array.from(spans), [rows, 4]),
          extras: recorder.upload(Int32Array.from(extras)),
          places: 160,
        };
        const q = recorder.upload(numbers.floats(rows * 3 * width, 2), [rows, 3 * width]);
        for (const out of headSize === 64 ? (['f32', 'q8'] as const) : (['f32'] as const))
          results.set(
            `${headSize} ${rows} ${softcap} ${out}`,
            recorder.attention(layer, q, visibility, { scale: 0.125, softcap, dtype: out }),
          );
      }
  }
  recorder.flush();
  const bytes = new Map([...results].map(([name, tensor]) => [name, copy(tensor)]));
  recorder.dispose();
  return bytes;
}
