/**
 * Interleaving: in every round each contender is measured once, in the same order (A B C, A B C, …), so that a machine
 * that gets slower or busier meanwhile does so for all of them.
 */

/** One thing to measure, by name. */
export interface Sampler<Sample> {
  readonly name: string;
  sample(): Promise<Sample>;
}

/** Measures every contender `rounds` times, interleaved. @returns samples by contender, in the order of the rounds */
export const interleave = async <Sample>(
  samplers: readonly Sampler<Sample>[],
  rounds: number,
  onSample: (name: string, round: number, sample: Sample) => void = () => undefined,
): Promise<ReadonlyMap<string, readonly Sample[]>> => {
  const samples = new Map<string, Sample[]>(samplers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, sample } of samplers) {
      const measured = await sample();
      samples.get(name)?.push(measured);
      onSample(name, round, measured);
    }
  }
  return samples;
};
