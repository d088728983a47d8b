/** What is learned and measured: costs, confidences, tables, and the drafts that follow from them. */
import { describe, expect, test } from 'vitest';
import { adaptiveSize } from '../drafters/combinators.ts';
import { suffixDrafter } from '../drafters/suffix.ts';
import { functionModel } from '../models/table-model.ts';
import { generateTokens, hash, loopingModel, stubbornDrafter, VOCABULARY } from '../testing/worlds.ts';
import { autoDrafter, DraftMemory } from './auto.ts';
import { calibrate } from './calibrate.ts';
import { JointConfidence } from './confidence.ts';
import { bestDraftSize, CostModel } from './cost-model.ts';
import { SuccessorTable } from './successor-table.ts';

const line = (first: number, slope: number): CostModel =>
  new CostModel([1, 2, 4, 8, 16, 32, 64].map((rows) => ({ rows, milliseconds: first + slope * (rows - 1) })));

describe('CostModel', () => {
  test('draws straight lines between what was measured', () => {
    const cost = new CostModel([
      { rows: 1, milliseconds: 4 },
      { rows: 5, milliseconds: 6 },
      { rows: 9, milliseconds: 14 },
    ]);
    expect([1, 2, 3, 5, 7, 9, 11].map((rows) => cost.at(rows))).toEqual([4, 4.5, 5, 6, 10, 14, 18]);
    expect(cost.ratio(9)).toBe(3.5);
  });

  test('follows a machine that became slower, and forgives a single interruption', () => {
    const cost = line(4, 1);
    cost.observe(4, 400);
    expect(cost.at(4)).toBeLessThan(25);
    const slower = line(4, 1);
    for (let i = 0; i < 100; i++) slower.observe(4, 10.5);
    expect(slower.at(4)).toBeCloseTo(10.5, 1);
    expect(slower.at(64)).toBeGreaterThan(70);
  });

  test('takes its scale from the first pass when nothing was measured', () => {
    const cost = new CostModel();
    cost.observe(1, 30);
    expect(cost.at(1)).toBeCloseTo(30);
    expect(cost.at(10)).toBeCloseTo(60, 0);
  });

  test('refuses times that are none', () => {
    expect(() => new CostModel([])).toThrow(/measured sizes/);
    expect(() => new CostModel([{ rows: 1, milliseconds: Number.NaN }])).toThrow(/measured sizes/);
  });
});

test('the best size is where tokens per pass ÷ c is greatest, none where drafting loses', () => {
  const geometric = (share: number) => (drafts: number) => (1 - share ** (drafts + 1)) / (1 - share);
  expect(bestDraftSize(line(10, 0.1), geometric(0.9), 32)).toBeGreaterThan(8);
  expect(bestDraftSize(line(10, 3), geometric(0.9), 32)).toBeLessThan(8);
  expect(bestDraftSize(line(10, 9), geometric(0.5), 32)).toBe(0);
});

test('calibrate times passes and leaves the state as it was', async () => {
  let calls = 0;
  const model = functionModel({
    vocabSize: 4,
    logits: () => {
      calls++;
      return new Float32Array(4);
    },
  });
  const session = model.openSession();
  await session.forward({ ids: Int32Array.of(1, 2, 3) });
  session.commit(Int32Array.of(0, 1, 2));
  const cost = await calibrate(session, { rows: [4, 1, 2, 2], repeats: 2, topK: 2 });
  expect(cost.measured().map(({ rows }) => rows)).toEqual([1, 2, 4]);
  expect(calls).toBe(2 * (1 + 2 + 4));
  expect(session.length).toBe(3);
});

describe('JointConfidence', () => {
  test('learns what sources say alone and together', () => {
    const joint = new JointConfidence([Float64Array.of(0.5, 0.1), Float64Array.of(0.5)]);
    const first = joint.extend(0, 0, 0);
    const both = joint.extend(first, 1, 0);
    expect(joint.classOf(both, 0)).toBe(0);
    expect(joint.classOf(first, 1)).toBe(-1);
    expect(joint.probability(both)).toBeCloseTo(0.75);
    for (let i = 0; i < 200; i++) {
      joint.add(first, i % 10 === 0);
      joint.add(both, i % 10 !== 0);
    }
    expect(joint.probability(first)).toBeLessThan(0.2);
    expect(joint.probability(both)).toBeGreaterThan(0.8);
    const copy = new JointConfidence([Float64Array.of(0.5, 0.1), Float64Array.of(0.5)]);
    expect(copy.restore(joint.save())).toBe(true);
    expect(copy.probability(both)).toBe(joint.probability(both));
    expect(copy.restore([Float32Array.of(1)])).toBe(false);
  });
});

test('SuccessorTable keeps within its bytes, forgets the oldest, and is saved and restored', () => {
  const table = new SuccessorTable({ vocabSize: 1000, topK: 3, maximumBytes: 2000 });
  expect(table.bytes()).toBeLessThanOrEqual(2000);
  for (let key = 0; key < 500; key++) table.set(key, Int32Array.of(key, 1, 2), Float32Array.of(5, 4.5, 1), 0);
  const known = Array.from({ length: 500 }, (_, key) => key).filter((key) => table.find(key) >= 0);
  expect(known.length).toBeGreaterThan(50);
  expect(known.length).toBeLessThan(200);
  for (const key of known) {
    const row = table.find(key);
    expect([table.token(row, 0), table.margin(row, 0), table.margin(row, 1), table.margin(row, 2)]).toEqual([
      key,
      0,
      0.5,
      4,
    ]);
  }
  const copy = new SuccessorTable({ vocabSize: 1000, topK: 3, maximumBytes: 2000 });
  copy.restore(table.save());
  expect(copy.token(copy.find(known[0]), 0)).toBe(known[0]);
  const [keys, tokens, margins] = table.save();
  expect(() => copy.restore([keys, tokens.map(() => 5000), margins])).toThrow(/saved table/);
});

describe('autoDrafter', () => {
  const prompt = [3, 1, 4, 1, 5, 9];
  const rows = async (cost: CostModel, drafts = {}): Promise<{ fed: number; steps: number; tokens: number }> => {
    const memory = new DraftMemory({ vocabSize: VOCABULARY, maximumBytes: 1e5, cost });
    // The times of this toy say nothing about the machine: keep the costs as given.
    cost.observe = () => undefined;
    const drafter = autoDrafter({ memory, ...drafts });
    const { steps, tokens } = await generateTokens(loopingModel(), prompt, {
      maxTokens: 300,
      drafter,
      onFault: 'throw',
    });
    return { fed: steps.reduce((sum, step) => sum + step.fed, 0), steps: steps.length, tokens: tokens.length };
  };

  test('drafts much where rows are cheap, little where they are dear, nothing where they never pay', async () => {
    const cheap = await rows(line(10, 0.05));
    const dear = await rows(line(10, 4));
    const hopeless = await rows(line(10, 200));
    expect(cheap.tokens / cheap.steps).toBeGreaterThan(2);
    expect(cheap.fed).toBeGreaterThan(dear.fed);
    expect(hopeless.fed).toBe(300 + prompt.length - 1);
  });

  test('feeds at most as many rows as it may', async () => {
    const memory = new DraftMemory({ vocabSize: VOCABULARY, maximumBytes: 1e5, cost: line(10, 0) });
    const drafter = autoDrafter({ memory, maximumNodes: 50 });
    const { steps } = await generateTokens(loopingModel(), prompt, {
      maxTokens: 100,
      budget: 5,
      drafter,
      onFault: 'throw',
    });
    expect(Math.max(...steps.slice(1).map(({ fed }) => fed))).toBeLessThanOrEqual(6);
  });

  test('begins warm with the memory of another text', async () => {
    const memory = new DraftMemory({ vocabSize: VOCABULARY, maximumBytes: 1e5, cost: line(10, 0.05) });
    const first = await generateTokens(loopingModel(), prompt, {
      maxTokens: 80,
      drafter: autoDrafter({ memory, fixedNodes: 8 }),
    });
    const second = await generateTokens(loopingModel(), prompt, {
      maxTokens: 80,
      drafter: autoDrafter({ memory, fixedNodes: 8 }),
    });
    expect(second.tokens).toEqual(first.tokens);
    expect(second.steps.length).toBeLessThan(first.steps.length);
  });
});

test('adaptiveSize stops asking a drafter that is always wrong, and tries again later', async () => {
  const cost = line(10, 1);
  cost.observe = () => undefined;
  const { steps } = await generateTokens(loopingModel(), [1, 2, 3], {
    maxTokens: 200,
    drafter: adaptiveSize(stubbornDrafter(0, 9), cost, 9),
  });
  const drafted = steps.map((step) => step.drafted);
  expect(drafted.slice(40).filter((count) => count === 0).length).toBeGreaterThan(140);
  expect(drafted.slice(40).some((count) => count > 0)).toBe(true);
});

test('adaptiveSize keeps a drafter that is right', async () => {
  const cost = line(10, 1);
  cost.observe = () => undefined;
  const model = functionModel({
    vocabSize: 30,
    logits: (text) => Float32Array.from({ length: 30 }, (_, t) => 9 * hash(text.length % 9, t)),
  });
  const { steps } = await generateTokens(model, [1, 2, 3], {
    maxTokens: 300,
    drafter: adaptiveSize(suffixDrafter(), cost, 9),
  });
  expect(steps.length).toBeLessThan(120);
});
