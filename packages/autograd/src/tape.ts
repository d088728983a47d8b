/**
 * A recorder that remembers the steps of what it records and walks them backwards: reverse-mode differentiation over the
 * general operations of `@gallop/tensor`. A function written for a Recorder is trained by handing it a Tape. Backward
 * steps are recorded with the same operations, in a fixed order: gradients have the same bits on every backend.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type OperationName, Recorder, type Tensor } from '@gallop/tensor';
import { add, full, type Step } from '@gallop/tensor/operations';
import { stepGradients } from './rules/step-gradients.ts';

/** An output and the gradient that comes to it from whatever is computed of it. */
export interface Upstream {
  readonly output: Tensor;
  /** Of the output's shape. */
  readonly gradient: Tensor;
}

/** Commands of decoders, which the tape cannot follow. */
const untraced: ReadonlySet<OperationName> = new Set<OperationName>([
  'embed',
  'rmsNorm',
  'quantize',
  'linear',
  'cacheWrite',
  'cacheMove',
  'attention',
  'gated',
  'add',
  'softcap',
]);

export class Tape extends Recorder {
  #steps: Step[] = [];
  #tracing = false;

  /**
   * Runs `body` with the tape on. Everything made inside stays until it returns, scopes included, because the way back
   * needs it; read or copy what is wanted before. Recordings do not nest.
   */
  record<Result>(body: () => Result): Result {
    requireArgument(!this.#tracing, () => 'a recording inside a recording; end the first one before');
    this.#tracing = true;
    try {
      return super.scope(body);
    } finally {
      this.#tracing = false;
      this.#steps = [];
    }
  }

  override scope<Result>(body: () => Result): Result {
    return this.#tracing ? body() : super.scope(body);
  }

  override observe(step: Step): void {
    if (this.#tracing) this.#steps.push(step);
  }

  override append(...parameters: Parameters<Recorder['append']>): void {
    const [name] = parameters;
    if (this.#tracing && untraced.has(name))
      throw new GallopError(
        'unsupported',
        `operations with gradients were expected on a tape; received the decoder command "${name}"; use the functions of @gallop/tensor/operations, or compute it outside record()`,
      );
    super.append(...parameters);
  }

  /**
   * The gradients of Σ upstream · output with respect to `sources`; zeros where nothing depends on a source. To be called
   * inside `record`, whose steps so far it walks; its own steps are not traced.
   * @throws GallopError `invalid-state` outside `record`, `invalid-argument` for an upstream gradient of another shape
   */
  gradients(upstream: readonly Upstream[], sources: readonly Tensor[]): Tensor[] {
    if (!this.#tracing)
      throw new GallopError('invalid-state', 'gradients are taken inside record(); nothing is being recorded');
    const found = new Map<Tensor, Tensor>();
    this.#tracing = false;
    try {
      for (const { output, gradient } of upstream) {
        requireArgument(
          String(output.shape) === String(gradient.shape),
          () => `an upstream gradient of shape [${output.shape}] was expected; received [${gradient.shape}]`,
        );
        this.#accumulate(found, output, gradient);
      }
      this.#walkBack(found, this.#dependents(sources));
      return sources.map((source) => found.get(source) ?? full(this, source.shape, 0));
    } finally {
      this.#tracing = true;
    }
  }

  /** The sources and everything computed of them. */
  #dependents(sources: readonly Tensor[]): Set<Tensor> {
    const dependents = new Set(sources);
    for (const step of this.#steps)
      if (step.inputs.some((input) => dependents.has(input))) for (const output of step.outputs) dependents.add(output);
    return dependents;
  }

  #walkBack(found: Map<Tensor, Tensor>, dependents: ReadonlySet<Tensor>): void {
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i]!;
      const wanted = step.inputs.map((input) => dependents.has(input));
      if (!wanted.includes(true) || !step.outputs.some((output) => found.has(output))) continue;
      const upstream = step.outputs.map((output) => found.get(output));
      stepGradients(this, step, upstream, wanted).forEach((gradient, input) => {
        if (gradient !== undefined && wanted[input]) this.#accumulate(found, step.inputs[input]!, gradient);
      });
    }
  }

  #accumulate(found: Map<Tensor, Tensor>, tensor: Tensor, gradient: Tensor): void {
    const before = found.get(tensor);
    found.set(tensor, before === undefined ? gradient : add(this, before, gradient));
  }
}
