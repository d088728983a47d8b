/** Targets with known faults, on which the fuzzer itself is tested. */
import type { FuzzInput, FuzzTarget } from '../target.ts';

/** Case n does what its number says. */
export const targets: readonly FuzzTarget<FuzzInput>[] = [
  {
    name: 'throws',
    generate: (random) => random.below(4),
    run(input) {
      if (input === 3) throw new TypeError('undefined is not a function');
    },
  },
  {
    name: 'hangs',
    generate: () => 'again',
    run() {
      for (;;);
    },
  },
  {
    name: 'allocates',
    generate: () => [1],
    run() {
      kept.push(new Uint8Array(200 * 2 ** 20));
    },
  },
];

const kept: Uint8Array[] = [];
