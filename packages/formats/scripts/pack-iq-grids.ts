/**
 * Writes src/blocks/iq-grids.generated.ts: the fixed codebooks of the IQ formats, packed with as few bits as their levels
 * need. Usage: node pack-iq-grids.ts model.safetensors, a file with the int8 tensors iq1sGrid, iq2xxsGrid, iq2xsGrid,
 * iq2sGrid, iq3xxsGrid and iq3sGrid.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { decodeValues, memorySource, openSafetensors } from '../src/index.ts';

const file = await openSafetensors(memorySource(readFileSync(process.argv[2])));
const lines = ['// Written by scripts/pack-iq-grids.ts; do not edit.', '', 'export interface PackedGrid {'];
lines.push('  readonly levels: readonly number[];', '  readonly bits: number;', '  readonly codes: string;', '}', '');
for (const tensor of [...file.tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
  const values = Array.from(decodeValues(tensor.dtype, await file.read(tensor)), Number);
  const levels = [...new Set(values)].sort((a, b) => a - b);
  const bits = levels.length <= 4 ? 2 : 4;
  const packed = new Uint8Array((values.length * bits) / 8);
  values.forEach((value, index) => {
    packed[(index * bits) >> 3] |= levels.indexOf(value) << ((index * bits) & 7);
  });
  lines.push(`export const ${tensor.name}: PackedGrid = {`, `  levels: [${levels.join(', ')}],`, `  bits: ${bits},`);
  lines.push(`  codes: '${Buffer.from(packed).toString('base64')}',`, '};', '');
}
writeFileSync(new URL('../src/blocks/iq-grids.generated.ts', import.meta.url), lines.join('\n'));
