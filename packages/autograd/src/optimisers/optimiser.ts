/** What every optimiser does: records the update of one parameter in place. */
import type { Recorder, Tensor } from '@gallop/tensor';

export interface Optimiser {
  /**
   * Records one update of a parameter from its gradient. Call it outside `Tape.record`, or at its end.
   * @param multiplier what the learning rate is multiplied with now, from a schedule. Default: 1
   */
  update(t: Recorder, parameter: Tensor, gradient: Tensor, multiplier?: number): void;
  /** Bytes of momenta and the like. */
  readonly stateBytes: number;
  /** Frees the states; the parameters stay. */
  dispose(): void;
}
