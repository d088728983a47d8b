import { GallopError } from '@gallop/core';
import { createReferenceBackend, Recorder } from '@gallop/tensor';
import { add, affine, detach, meanSquaredError, multiply, relu, sum } from '@gallop/tensor/operations';
import { describe, expect, test } from 'vitest';
import { adamW } from './optimisers/adam.ts';
import { muon, newtonSchulz } from './optimisers/muon.ts';
import { sgd } from './optimisers/sgd.ts';
import { Variable } from './optimisers/state.ts';
import { Tape } from './tape.ts';

const failsWith = (code: GallopError['code']): Error =>
  expect.toSatisfy((error) => GallopError.isInstance(error, code)) as Error;

const scalar = (t: Tape, value: number) => t.upload(Float32Array.of(value), []);

describe('Tape', () => {
  test('adds up what flows along several paths', () => {
    const t = new Tape(createReferenceBackend());
    t.record(() => {
      const x = scalar(t, 3);
      const y = add(t, multiply(t, x, x), affine(t, x, 5));
      const [gradient] = t.gradients([{ output: y, gradient: scalar(t, 2) }], [x]);
      t.flush();
      expect(gradient!.floats()[0]).toBe(22);
    });
  });

  test('gives zeros where nothing depends on a source, and stops at what is detached', () => {
    const t = new Tape(createReferenceBackend());
    t.record(() => {
      const [x, other] = [scalar(t, 3), scalar(t, 4)];
      const output = multiply(t, x, detach(x));
      const [gradient, none] = t.gradients([{ output, gradient: scalar(t, 1) }], [x, other]);
      t.flush();
      expect([gradient!.floats()[0], none!.floats()[0]]).toEqual([3, 0]);
    });
  });

  test('keeps what inner scopes made, and frees it afterwards', () => {
    const t = new Tape(createReferenceBackend());
    const once = (): number =>
      t.record(() => {
        const x = t.upload(Float32Array.of(-1, 2), [2]);
        const y = t.scope(() => relu(t, affine(t, x, 2)));
        t.scope(() => affine(t, x, 100));
        const [gradient] = t.gradients([{ output: sum(t, y), gradient: scalar(t, 1) }], [x]);
        t.flush();
        expect([...gradient!.floats()]).toEqual([0, 2]);
        return gradient!.address;
      });
    expect(once()).toBe(once());
  });

  test('refuses what it cannot follow', () => {
    const t = new Tape(createReferenceBackend());
    const x = scalar(t, 1);
    expect(() => t.gradients([], [x])).toThrow(failsWith('invalid-state'));
    t.record(() => {
      expect(() => t.softcap(x, 3)).toThrow(failsWith('unsupported'));
      expect(() => t.record(() => 0)).toThrow(failsWith('invalid-argument'));
      expect(() => t.gradients([{ output: x, gradient: t.upload(Float32Array.of(1, 2)) }], [x])).toThrow(
        failsWith('invalid-argument'),
      );
    });
  });
});

describe('optimisers', () => {
  test.each([
    ['adamW', (backend: Tape['backend']) => adamW(backend, { learningRate: 0.1 })],
    ['sgd', (backend: Tape['backend']) => sgd(backend, { learningRate: 0.1, momentum: 0.9, nesterov: true })],
    ['muon', (backend: Tape['backend']) => muon(backend, { learningRate: 0.1 })],
  ] as const)('%s finds a minimum', (_name, create) => {
    const backend = createReferenceBackend();
    const t = new Tape(backend);
    const optimiser = create(backend);
    const parameter = new Variable(backend, [2, 3], Float32Array.of(1, -2, 3, 0, 1, 2));
    const target = new Variable(backend, [2, 3], Float32Array.of(0.5, 0.5, -1, 1, 0, 0.2));
    const step = (multiplier: number): number =>
      t.record(() => {
        const loss = meanSquaredError(t, parameter.tensor, target.tensor);
        const [gradient] = t.gradients([{ output: loss, gradient: scalar(t, 1) }], [parameter.tensor]);
        optimiser.update(t, parameter.tensor, gradient!, multiplier);
        t.flush();
        return loss.floats()[0]!;
      });
    const first = step(1);
    let last = first;
    for (let i = 0; i < 200; i++) last = step(1 - i / 200);
    expect(last).toBeLessThan(first / 500);
    expect(optimiser.stateBytes).toBeGreaterThan(0);
    optimiser.dispose();
  });

  test('refuse rates out of range and gradients of another shape', () => {
    const backend = createReferenceBackend();
    expect(() => adamW(backend, { learningRate: -1 })).toThrow(failsWith('invalid-argument'));
    expect(() => adamW(backend, { learningRate: 1, beta1: 1 })).toThrow(failsWith('invalid-argument'));
    const t = new Recorder(backend);
    const vector = new Variable(backend, [3]).tensor;
    expect(() => muon(backend).update(t, vector, vector)).toThrow(failsWith('invalid-argument'));
    expect(() => sgd(backend, { learningRate: 1 }).update(t, vector, new Variable(backend, [2]).tensor)).toThrow(
      failsWith('invalid-argument'),
    );
  });

  // Five iterations of s → 3.4445 s − 4.775 s³ + 2.0315 s⁵ on each singular value of a diagonal matrix.
  test('Newton–Schulz maps singular values by its polynomial', () => {
    const backend = createReferenceBackend();
    const t = new Recorder(backend);
    const values = [3, 1, 0.2];
    const norm = Math.hypot(...values);
    const diagonal = Float32Array.from({ length: 12 }, (_, i) => (i % 3 === Math.floor(i / 3) ? values[i % 3]! : 0));
    const output = newtonSchulz(t, t.upload(diagonal, [4, 3]));
    t.flush();
    const expected = values.map((value) => {
      let s = value / norm;
      for (let i = 0; i < 5; i++) s = 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
      return s;
    });
    output.floats().forEach((value, i) => {
      expect(value).toBeCloseTo(i % 3 === Math.floor(i / 3) ? expected[i % 3]! : 0, 5);
    });
  });
});
