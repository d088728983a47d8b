/** One number per random program, for comparing an engine with another one. */
import type { Backend } from '@gallop/tensor';
import { attentionProgram, linearProgram, type Results, rowsProgram } from './random-programs.ts';

function hash(results: Results): number {
  let value = 0;
  for (const bytes of results.values()) for (const byte of bytes) value = (Math.imul(value, 31) + byte) | 0;
  return value;
}

export async function digest(backend: Backend): Promise<number[]> {
  const programs = [
    await linearProgram(backend, 'Q4_K', 1),
    await linearProgram(backend, 'Q8_0', 1),
    rowsProgram(backend, 3),
    attentionProgram(backend, 'f16', 5),
  ];
  return programs.map(hash);
}
