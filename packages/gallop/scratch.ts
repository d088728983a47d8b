import { createNativeBackend } from '@gallop/backend-native';
import { openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import { loadLanguageModel } from '@gallop/models';

const [, , path, act = 'q8', threads = '2'] = process.argv;
const t0 = performance.now();
const file = await openGguf(await openFile(path!));
const backend = createNativeBackend({ threads: +threads });
const t1 = performance.now();
const model = await loadLanguageModel(file, backend, { activations: act as 'q8' });
const t2 = performance.now();
console.log(backend.variant, 'open', t1 - t0, 'load', t2 - t1, 'rss', process.memoryUsage.rss() / 1e6);
const session = model.openSession();
const ids = Int32Array.of(504, 3575, 282, 4649, 314);
let r = await session.forward({ ids, want: { logits: 'last', topK: 5 } });
session.commit(Int32Array.from(ids, (_, i) => i));
const out: number[] = [];
console.log(r.topTokens, r.topLogits);
for (let rep = 0; rep < 3; rep++) {
  const t = performance.now();
  for (let i = 0; i < 64; i++) {
    const id = r.topTokens![0]!;
    out.push(id);
    r = await session.forward({ ids: Int32Array.of(id), want: { logits: 'last', topK: 1 } });
    session.commit(Int32Array.of(0));
  }
  const d = performance.now() - t;
  console.log(((64 / d) * 1000).toFixed(1), 'tok/s');
}
console.log(out.slice(0, 64).join(' '));
const p = new Int32Array(512).map((_, i) => 1000 + i * 7);
const s2 = model.openSession();
for (let rep = 0; rep < 3; rep++) {
  const t = performance.now();
  await s2.forward({ ids: p, want: { logits: 'last', topK: 1 } });
  const d = performance.now() - t;
  console.log('prefill', ((512 / d) * 1000).toFixed(0), 'tok/s');
}
s2.commit(Int32Array.from(p, (_, i) => i));
for (const M of [1, 2, 4, 8, 16, 32, 64]) {
  let best = 1e9;
  for (let i = 0; i < 15; i++) {
    const t = performance.now();
    await s2.forward({ ids: p.subarray(0, M), want: { logits: 'all', topK: 1 } });
    best = Math.min(best, performance.now() - t);
  }
  console.log('M', M, best.toFixed(3));
}
console.log('rss', process.memoryUsage.rss() / 1e6);
