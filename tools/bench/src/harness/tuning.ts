/**
 * The best settings of a contender on this machine: one setting after the other, each value is tried and the fastest
 * kept (coordinate descent). Every contender is tuned the same way before it is compared.
 */

/** Settings by name. */
export type Settings = Readonly<Record<string, number | boolean>>;

/** One setting and the values to try. */
export interface Axis {
  readonly name: string;
  readonly values: readonly (number | boolean)[];
}

/**
 * Finds settings with the least cost. A setting with one value is taken as it is.
 *
 * @param start a value of every axis to begin with
 * @param cost measures one choice, in any unit; lower is better
 */
export const tune = async (
  start: Settings,
  axes: readonly Axis[],
  cost: (settings: Settings) => Promise<number>,
): Promise<Settings> => {
  const known = new Map<string, number>();
  const costOf = async (settings: Settings): Promise<number> => {
    const key = JSON.stringify(settings);
    const measured = known.get(key) ?? (await cost(settings));
    known.set(key, measured);
    return measured;
  };
  let best = start;
  for (const { name, values } of axes) {
    const choices = values.map((value) => ({ ...best, [name]: value }));
    if (choices.length === 1) best = choices[0];
    else best = await cheapest(choices, costOf);
  }
  return best;
};

const cheapest = async (
  choices: readonly Settings[],
  costOf: (settings: Settings) => Promise<number>,
): Promise<Settings> => {
  let best = choices[0];
  let lowest = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    const measured = await costOf(choice);
    if (measured < lowest) [best, lowest] = [choice, measured];
  }
  return best;
};

/** Thread counts worth trying on a machine: each up to eight, then powers of two, and all. */
export const threadCounts = (cores: number): readonly number[] => {
  const counts = new Set<number>();
  for (let count = 1; count <= cores; count = count < 8 ? count + 1 : count * 2) counts.add(count);
  return [...counts.add(cores)];
};
