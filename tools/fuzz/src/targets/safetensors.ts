/** safetensors: headers that claim too much, shapes and offsets that do not fit, JSON of other shapes. */
import { decodeValues, memorySource, openSafetensors, safetensorsDtypes } from '@gallop/formats';
import { mutateBytes, tellingNumbers } from '../mutation/bytes.ts';
import { mutateJson } from '../mutation/json.ts';
import { randomText } from '../mutation/text.ts';
import type { Random } from '../random.ts';
import { type FuzzTarget, type JsonValue, require } from '../target.ts';

const bytesOf = (dtype: string): number => (safetensorsDtypes as Record<string, number>)[dtype] / 8;

function header(random: Random): { json: JsonValue; size: number } {
  const json: Record<string, JsonValue> = {};
  let at = 0;
  if (random.chance(0.5)) json.__metadata__ = { format: 'pt', [randomText(random)]: randomText(random) };
  for (let count = random.below(6); count > 0; count--) {
    const dtype = random.pick(Object.keys(safetensorsDtypes));
    const shape = random.list(0, 4, () => random.below(5));
    const size = shape.reduce((product, one) => product * one, 1) * bytesOf(dtype);
    json[random.chance(0.1) ? '' : randomText(random)] = { dtype, shape, data_offsets: [at, at + size] };
    at += size;
  }
  return { json, size: Math.ceil(at) };
}

function generate(random: Random): Uint8Array {
  const { json, size } = header(random);
  const text = JSON.stringify(random.chance(0.6) ? mutateJson(json, random) : json);
  const encoded = new TextEncoder().encode(text + ' '.repeat(random.below(9)));
  const bytes = new Uint8Array(8 + encoded.length + size);
  const claimed = random.chance(0.1) ? random.pick(tellingNumbers) : BigInt(encoded.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed, true);
  bytes.set(encoded, 8);
  return random.chance(0.3) ? mutateBytes(bytes, random) : bytes;
}

async function run(bytes: Uint8Array): Promise<void> {
  using file = await openSafetensors(memorySource(bytes));
  for (const tensor of file.tensors) {
    const values = decodeValues(tensor.dtype, await file.read(tensor));
    require(values.length === tensor.elements, () => `${tensor.name} has ${values.length} values`);
  }
}

export const safetensors: FuzzTarget<Uint8Array> = { name: 'safetensors', generate, run };
