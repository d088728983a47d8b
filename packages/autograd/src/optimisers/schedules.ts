/** Schedules: what the learning rate is multiplied with at a step, counted from 0. */
import { requireArgument } from '@gallop/core';

export type Schedule = (step: number) => number;

function requireSteps(steps: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(steps))
    requireArgument(Number.isFinite(count) && count >= 0, () => `${name} must not be negative; received ${count}`);
}

/** step / warmup during the warm-up, then what `after` makes of the elapsed share of the rest, which may pass 1. */
function warmedUp(warmupSteps: number, totalSteps: number, after: (share: number) => number): Schedule {
  requireSteps({ warmupSteps, totalSteps });
  return (step) => {
    if (step < warmupSteps) return step / Math.max(1, warmupSteps);
    return after((step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  };
}

/** max(0, (1 + cos(2π · cycles · x)) / 2) after a linear warm-up; half a cycle falls to 0. */
export function cosineSchedule(options: { warmupSteps: number; totalSteps: number; cycles?: number }): Schedule {
  const { warmupSteps, totalSteps, cycles = 0.5 } = options;
  return warmedUp(warmupSteps, totalSteps, (x) => Math.max(0, (1 + Math.cos(2 * Math.PI * cycles * x)) / 2));
}

/** Half a cosine down to `minimum`; the warm-up starts at 0. */
export function cosineMinimumSchedule(options: { warmupSteps: number; totalSteps: number; minimum: number }): Schedule {
  const { warmupSteps, totalSteps, minimum } = options;
  return warmedUp(warmupSteps, totalSteps, (x) =>
    Math.max(0, minimum + (1 - minimum) * ((1 + Math.cos(Math.PI * x)) / 2)),
  );
}

/** Linear up, linear down to 0. */
export function linearSchedule(options: { warmupSteps: number; totalSteps: number }): Schedule {
  return warmedUp(options.warmupSteps, options.totalSteps, (x) => Math.max(0, 1 - x));
}

const decays = {
  linear: (x: number): number => 1 - x,
  cosine: (x: number): number => (1 + Math.cos(Math.PI * x)) / 2,
  oneMinusRoot: (x: number): number => 1 - Math.sqrt(x),
} as const;

/** Warm-up, constant 1, decay to `minimum`; values v of warm-up and decay become minimum + (1 − minimum) · v. */
export function warmupStableDecaySchedule(options: {
  warmupSteps: number;
  stableSteps: number;
  decaySteps: number;
  decay: keyof typeof decays;
  /** Default: 0. */
  minimum?: number;
}): Schedule {
  const { warmupSteps, stableSteps, decaySteps, decay, minimum = 0 } = options;
  requireSteps({ warmupSteps, stableSteps, decaySteps });
  requireArgument(
    Object.hasOwn(decays, decay),
    () => `a decay of ${Object.keys(decays).join(', ')} was expected; received ${decay}`,
  );
  const raised = (value: number): number => minimum + (1 - minimum) * value;
  return (step) => {
    if (step < warmupSteps) return raised(step / warmupSteps);
    if (step < warmupSteps + stableSteps) return 1;
    const elapsed = step - warmupSteps - stableSteps;
    return elapsed < decaySteps ? raised(decays[decay](elapsed / decaySteps)) : minimum;
  };
}

/** 1, then over the last `cooldownFraction` linearly down to `minimum`. */
export function cooldownSchedule(options: { totalSteps: number; cooldownFraction: number; minimum: number }): Schedule {
  const { totalSteps, cooldownFraction, minimum } = options;
  requireSteps({ totalSteps, cooldownFraction });
  return (step) => {
    const share = step / totalSteps;
    if (share < 1 - cooldownFraction) return 1;
    const left = (1 - share) / cooldownFraction;
    return left + (1 - left) * minimum;
  };
}
