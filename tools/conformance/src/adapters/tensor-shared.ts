/**
 * What the tensor adapters share: a case's tensors on a tape of the chosen backend (`GALLOP_BACKEND`), and the gradients
 * that the case asks for, which are those of Σ upstream · output for every `in.<output>Gradient` that it gives.
 */
import { Tape } from '@gallop/autograd';
import type { Backend, Tensor } from '@gallop/tensor';
import { toFloat } from '@gallop/tensor/operations';
import { type CaseContext, type CaseOutputs, register, type TensorValue } from '../registry.ts';
import { withBackend } from './models-backend.ts';

/** A case's tensors on the backend: floats, masks and conditions as f32; codes and integers as they are. */
export interface TensorCase {
  readonly t: Tape;
  readonly backend: Backend;
  readonly params: Readonly<Record<string, unknown>>;
  /** An input or weight by its name. Throws when the case has none. */
  tensor(name: string): Tensor;
  optional(name: string): Tensor | undefined;
  /** A mask or condition as f32. */
  mask(name: string): Tensor;
  /** Integers on the host. */
  integers(name: string): { values: Int32Array; shape: readonly number[] };
  number(name: string): number;
}

type Results = Readonly<Record<string, Tensor>>;

function upload(t: Tape, { dtype, data, shape }: TensorValue): Tensor {
  if (dtype === 'I8') return t.upload(Int8Array.from(data as Int8Array), shape);
  if (dtype === 'U8' || dtype === 'BOOL') return t.upload(Uint8Array.from(data as Uint8Array), shape);
  if (dtype === 'I32') return t.upload(Int32Array.from(data as Int32Array), shape);
  return t.upload(Float32Array.from(data as Float32Array), shape);
}

function caseOf(t: Tape, backend: Backend, context: CaseContext, tensors: ReadonlyMap<string, Tensor>): TensorCase {
  const tensor = (name: string): Tensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`expected a tensor ${name}; the case has ${[...tensors.keys()]}`);
    return found;
  };
  return {
    t,
    backend,
    params: context.params,
    tensor,
    optional: (name) => tensors.get(name),
    mask: (name) => toFloat(t, tensor(name)),
    integers(name) {
      const { data, shape } = context.tensor(name);
      return { values: Int32Array.from(data as Int32Array), shape };
    },
    number(name) {
      const value = context.params[name];
      if (typeof value !== 'number') throw new Error(`expected a number ${name}; received ${value}`);
      return value;
    },
  };
}

/** What a tensor holds, for the runner. */
export function read(tensor: Tensor): {
  data: Float32Array | Int32Array | Int8Array | Uint8Array;
  shape: readonly number[];
} {
  const { shape, dtype } = tensor;
  const data = dtype === 'f32' ? tensor.floats() : dtype === 'i32' ? tensor.integers() : tensor.codes();
  return { data: data.slice() as Float32Array, shape };
}

/** Runs a case's operation and takes the gradients of every f32 input and weight. */
async function run(context: CaseContext, compute: (golden: TensorCase) => Results): Promise<CaseOutputs> {
  return withBackend(async (backend) => {
    const t = new Tape(backend);
    try {
      return t.record(() => {
        const values = { ...(context.inputs as Record<string, TensorValue>), ...context.weights };
        const tensors = new Map(Object.entries(values).map(([name, value]) => [name, upload(t, value)]));
        const results = compute(caseOf(t, backend, context, tensors));
        const upstream = Object.entries(results).flatMap(([name, output]) => {
          const gradient = tensors.get(`${name}Gradient`);
          return gradient === undefined ? [] : [{ output, gradient }];
        });
        const sources = [...tensors].filter(([name, { dtype }]) => dtype === 'f32' && !name.endsWith('Gradient'));
        const gradients =
          upstream.length === 0
            ? []
            : t.gradients(
                upstream,
                sources.map(([, source]) => source),
              );
        t.flush();
        return Object.fromEntries([
          ...Object.entries(results).map(([name, output]) => [name, read(output)]),
          ...gradients.map((gradient, i) => [`${sources[i]![0]}Gradient`, read(gradient)]),
        ]);
      });
    } finally {
      t.dispose();
    }
  });
}

/** Registers the operations of one method of the area. */
export function registerTensor(
  method: string,
  operations: Readonly<Record<string, (golden: TensorCase) => Results>>,
): void {
  for (const [operation, compute] of Object.entries(operations))
    register('tensor', method, operation, (context) => run(context, compute));
}
