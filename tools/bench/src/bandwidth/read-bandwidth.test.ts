import { afterEach, expect, test, vi } from 'vitest';
import { BandwidthMeter } from './read-bandwidth.ts';

afterEach(() => vi.unstubAllEnvs());

test('measures a believable speed, or says why not', () => {
  using meter = new BandwidthMeter();
  expect(meter.best).toBeUndefined();
  meter.measure(1);
  const { best } = meter;
  if (best !== undefined && 'bytesPerSecond' in best) {
    expect(best.bytesPerSecond).toBeGreaterThan(1e8);
    expect(best.bytesPerSecond).toBeLessThan(1e13);
  } else expect(best?.missing).toMatch(/compiler|failed|ended/);
});

test('without a compiler the speed is unknown, with the reason', () => {
  vi.stubEnv('CC', 'no-such-compiler');
  using meter = new BandwidthMeter();
  meter.measure(1);
  expect(meter.best).toEqual({ missing: 'no C compiler was found (no-such-compiler; CC names another)' });
});
