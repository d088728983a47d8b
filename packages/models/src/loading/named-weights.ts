/**
 * Weights by what they are to the network. An architecture has one table: for each part its name in Hugging Face
 * checkpoints and its name in GGUF files, with `{}` for the index of a layer or an expert.
 */
import { GallopError } from '@gallop/core';
import type { Tensor, Weight } from '@gallop/tensor';
import type { ModelWeights, RowSelection } from './model-weights.ts';
import type { Container } from './settings.ts';
import type { SourceTensor } from './weight-source.ts';

/** Names of a part in Hugging Face checkpoints and in GGUF; a part that one of them lacks is an empty string there. */
export type TensorNames = Readonly<Record<string, readonly [huggingFace: string, gguf: string]>>;

export interface Naming {
  readonly names: TensorNames;
  /** What may precede every Hugging Face name: wrappers add a prefix. Default none. */
  readonly prefixes?: readonly string[];
}

export class NamedWeights {
  readonly all: ModelWeights;
  readonly container: Container;
  readonly #naming: Naming;
  readonly #indices: readonly number[];

  constructor(all: ModelWeights, container: Container, naming: Naming, indices: readonly number[] = []) {
    this.all = all;
    this.container = container;
    this.#naming = naming;
    this.#indices = indices;
  }

  get activations(): 'q8' | 'f32' {
    return this.all.activations;
  }

  /** The parts of one layer, or of one expert of a layer. */
  at(index: number): NamedWeights {
    return new NamedWeights(this.all, this.container, this.#naming, [...this.#indices, index]);
  }

  /** The same weights with some parts under other names: `{ gate: 'sharedGate' }` gives sharedGate as gate. */
  renamed(parts: Readonly<Record<string, string>>): NamedWeights {
    const names = { ...this.#naming.names };
    for (const [name, part] of Object.entries(parts)) names[name] = this.#naming.names[part] ?? ['', ''];
    return new NamedWeights(this.all, this.container, { ...this.#naming, names }, this.#indices);
  }

  has(part: string): boolean {
    return this.#find(part, 'weight') !== undefined;
  }

  hasBias(part: string): boolean {
    return this.#find(part, 'bias') !== undefined;
  }

  /** A matrix [rows, columns] in panels. @throws GallopError `invalid-file` */
  matrix(part: string, rows: number, columns: number, selection?: RowSelection): Promise<Weight> {
    return this.all.matrix(this.#tensor(part, 'weight'), rows, columns, selection);
  }

  /** A vector as float32 [length]; `add` is added to each element. @throws GallopError `invalid-file` */
  async vector(part: string, length: number, add = 0): Promise<Tensor> {
    const values = await this.values(part, [length]);
    return this.all.place(add === 0 ? values : values.map((value) => value + add));
  }

  /** The bias that belongs to a matrix, as float32 [rows]. @throws GallopError `invalid-file` */
  async bias(part: string, rows: number, selection?: RowSelection): Promise<Tensor> {
    const { first = 0, total = rows, run = rows, stride = run } = selection ?? {};
    const values = await this.all.values(this.#tensor(part, 'bias'), [total]);
    return this.all.place(
      Float32Array.from({ length: rows }, (_, row) => values[first + Math.floor(row / run) * stride + (row % run)]!),
    );
  }

  /** Numbers on the host. @throws GallopError `invalid-file` */
  values(part: string, shape: readonly number[]): Promise<Float32Array> {
    return this.all.values(this.#tensor(part, 'weight'), shape);
  }

  /** Shape of a part as stored, or undefined. */
  shape(part: string): readonly number[] | undefined {
    return this.#find(part, 'weight')?.shape;
  }

  #spellings(part: string, kind: 'weight' | 'bias'): string[] {
    const name = this.#naming.names[part]?.[this.container === 'gguf' ? 1 : 0];
    if (!name) return [];
    let index = 0;
    const placed = name.replaceAll('{}', () => String(this.#indices[index++]));
    const spelled = kind === 'bias' ? placed.replace(/weight$/, 'bias') : placed;
    const prefixes = this.container === 'gguf' ? [''] : (this.#naming.prefixes ?? ['']);
    return prefixes.map((prefix) => prefix + spelled);
  }

  #find(part: string, kind: 'weight' | 'bias'): SourceTensor | undefined {
    for (const name of this.#spellings(part, kind)) {
      const tensor = this.all.find(name);
      if (tensor) return tensor;
    }
    return undefined;
  }

  #tensor(part: string, kind: 'weight' | 'bias'): SourceTensor {
    const tensor = this.#find(part, kind);
    if (tensor) return tensor;
    const [name] = this.#spellings(part, kind);
    throw new GallopError(
      'invalid-file',
      name
        ? `expected a tensor "${name}"; the model has none; the file may be incomplete or of another architecture`
        : `${this.container} files of this architecture hold no "${part}"; use the other container`,
    );
  }
}
