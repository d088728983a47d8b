/** Tensors that outlive recordings: parameters, momenta, averages. */
import { type Backend, Tensor } from '@gallop/tensor';

/** Values in a block of backend memory of their own, which `free` returns. */
export class Variable {
  readonly tensor: Tensor;

  /** @param values copied; default zeros. @throws GallopError `out-of-memory` */
  constructor(backend: Backend, shape: readonly number[], values?: Float32Array) {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensor = new Tensor(backend.allocate(Math.max(count, 1) * 4), 0, shape, 'f32');
    if (values !== undefined) this.tensor.floats().set(values);
  }

  free(): void {
    this.tensor.memory.free();
  }
}

/** What an optimiser keeps for each parameter, made at the parameter's first update. */
export class ParameterStates<State> {
  readonly #states = new Map<Tensor, State>();
  readonly #create: (parameter: Tensor) => State;

  constructor(create: (parameter: Tensor) => State) {
    this.#create = create;
  }

  of(parameter: Tensor): State {
    let state = this.#states.get(parameter);
    if (state === undefined) {
      state = this.#create(parameter);
      this.#states.set(parameter, state);
    }
    return state;
  }

  values(): Iterable<State> {
    return this.#states.values();
  }
}
