/** Rotary position embedding (Su et al., 2021): the cosines and sines of each row's angles, computed on the host. */
import type { RotaryConfig } from '../config.ts';

/** Frequencies base^(−2i/dimensions) in float32, scaled as the configuration says. */
export function inverseFrequencies(config: RotaryConfig): Float32Array {
  const { base, dimensions, factors, scale = 1 } = config;
  return Float32Array.from({ length: dimensions / 2 }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(base ** Math.fround((2 * i) / dimensions)));
    return Math.fround(frequency / (factors?.[i] ?? 1)) / scale;
  });
}

/** Per position: dimensions/2 cosines, then dimensions/2 sines. → [positions, dimensions] */
export function rotaryTable(frequencies: Float32Array, positions: Int32Array): Float32Array {
  const half = frequencies.length;
  const table = new Float32Array(positions.length * half * 2);
  for (let row = 0; row < positions.length; row++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(positions[row]! * frequencies[i]!);
      table[(2 * row + 0) * half + i] = Math.cos(angle);
      table[(2 * row + 1) * half + i] = Math.sin(angle);
    }
  return table;
}
