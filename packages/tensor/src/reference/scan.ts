/**
 * The recurrence of state-space layers and its gradient:
 *
 *     h = e^(decay · dt) h + (dt x) B        y = Σ h C, in 16 lanes
 *
 * One inner channel of one head at a time. Mamba has a decay for every entry of the state, Mamba-2 one for each head. Heads
 * share B and C by group. B and C are [batch, length, groups, states]; x and dt carry their own strides.
 */
import type { AddressSpace } from './address-space.ts';
import { add, foldLanes, multiply } from './arithmetic.ts';
import { exp } from './functions.ts';

/** The operands that both commands share, in their order. */
type ScanOperands = [
  ...[x: number, timeStep: number, decay: number, inputMatrix: number, outputMatrix: number, state: number],
  ...[batch: number, heads: number, inner: number, length: number, states: number, groups: number],
  ...[decayPerState: number, xBatch: number, xHead: number, xInner: number, xStep: number],
  ...[timeStepBatch: number, timeStepHead: number, timeStepStep: number],
];

/** One unit's view of the operands. */
interface Unit {
  readonly unit: number;
  readonly length: number;
  readonly states: number;
  /** Address of x or of what is laid out as x. */
  at(base: number, step: number): number;
  readonly x: (step: number) => number;
  readonly timeStep: (step: number) => number;
  readonly decay: (n: number) => number;
  readonly inputs: (step: number) => Float32Array;
  readonly outputs: (step: number) => Float32Array;
  readonly firstState: Float32Array;
}

function units(memory: AddressSpace, operands: ScanOperands): Unit[] {
  const [x, timeStep, decay, inputMatrix, outputMatrix, state, batch, heads, inner, length, states, groups] = operands;
  const [decayPerState, xBatch, xHead, xInner, xStep, timeStepBatch, timeStepHead, timeStepStep] = operands.slice(
    12,
  ) as [number, number, number, number, number, number, number, number];
  return Array.from({ length: batch * heads * inner }, (_, unit) => {
    const channel = unit % inner;
    const head = Math.floor(unit / inner) % heads;
    const b = Math.floor(unit / inner / heads);
    const group = Math.floor((head * groups) / heads);
    const at = (base: number, step: number): number =>
      base + 4 * (b * xBatch + head * xHead + channel * xInner + step * xStep);
    const float = (address: number): number => memory.floats(address, 1)[0]!;
    const shared = (base: number, step: number): Float32Array =>
      memory.floats(base + 4 * ((b * length + step) * groups + group) * states, states);
    return {
      unit,
      length,
      states,
      at,
      x: (step) => float(at(x, step)),
      timeStep: (step) => float(timeStep + 4 * (b * timeStepBatch + head * timeStepHead + step * timeStepStep)),
      decay: (n) => float(decay + 4 * (decayPerState ? head * states + n : head)),
      inputs: (step) => shared(inputMatrix, step),
      outputs: (step) => shared(outputMatrix, step),
      firstState: state ? memory.floats(state + 4 * unit * states, states).slice() : new Float32Array(states),
    };
  });
}

/** The state after a step. */
function advance(unit: Unit, before: Float32Array, step: number): Float32Array {
  const dt = unit.timeStep(step);
  const input = multiply(dt, unit.x(step));
  const b = unit.inputs(step);
  return before.map((h, n) => add(multiply(exp(multiply(unit.decay(n), dt)), h), multiply(input, b[n]!)));
}

function laneSum(values: Float32Array): number {
  const lanes = new Float32Array(16);
  values.forEach((value, i) => {
    lanes[i % 16] = add(lanes[i % 16]!, value);
  });
  return foldLanes(lanes);
}

export function scan(memory: AddressSpace, out: number, lastState: number, ...operands: number[]): void {
  for (const unit of units(memory, operands as ScanOperands)) {
    let state = unit.firstState;
    for (let step = 0; step < unit.length; step++) {
      state = advance(unit, state, step);
      const c = unit.outputs(step);
      memory.floats(unit.at(out, step), 1)[0] = laneSum(state.map((h, n) => multiply(h, c[n]!)));
    }
    memory.floats(lastState + 4 * unit.unit * unit.states, unit.states).set(state);
  }
}

/** Addresses of the gradients, in the order of the command. */
interface Gradients {
  readonly out: number;
  readonly lastState: number;
  readonly x: number;
  readonly timeStep: number;
  readonly decay: number;
  readonly inputMatrix: number;
  readonly outputMatrix: number;
  readonly state: number;
}

export function scanGradient(memory: AddressSpace, ...operands: number[]): void {
  const [out, lastState, x, timeStep, decay, inputMatrix, outputMatrix, state] = operands as unknown as [
    ...[out: number, lastState: number, x: number, timeStep: number, decay: number],
    ...[inputMatrix: number, outputMatrix: number, state: number],
  ];
  const gradients = { out, lastState, x, timeStep, decay, inputMatrix, outputMatrix, state };
  for (const unit of units(memory, operands.slice(8) as ScanOperands)) unitGradient(memory, unit, gradients);
}

function unitGradient(memory: AddressSpace, unit: Unit, addresses: Gradients): void {
  const { states, length } = unit;
  const history = [unit.firstState];
  for (let step = 0; step < length; step++) history.push(advance(unit, history[step]!, step));
  const perUnit = (base: number): Float32Array => memory.floats(base + 4 * unit.unit * states, states);
  const perStep = (base: number, step: number): Float32Array =>
    memory.floats(base + 4 * (unit.unit * length + step) * states, states);
  let upstream = addresses.lastState ? perUnit(addresses.lastState).slice() : new Float32Array(states);
  let decayGradient = new Float32Array(states);
  for (let step = length - 1; step >= 0; step--) {
    const dt = unit.timeStep(step);
    const x = unit.x(step);
    const out = memory.floats(unit.at(addresses.out, step), 1)[0]!;
    const [b, c, before] = [unit.inputs(step), unit.outputs(step), history[step]!];
    const powers = before.map((_, n) => exp(multiply(unit.decay(n), dt)));
    const gradient = upstream.map((value, n) => add(value, multiply(out, c[n]!)));
    const slopes = gradient.map((value, n) => multiply(multiply(value, before[n]!), powers[n]!));
    perStep(addresses.outputMatrix, step).set(history[step + 1]!.map((h) => multiply(out, h)));
    perStep(addresses.inputMatrix, step).set(gradient.map((value) => multiply(value, multiply(dt, x))));
    const input = laneSum(gradient.map((value, n) => multiply(value, b[n]!)));
    const time = laneSum(slopes.map((slope, n) => multiply(slope, unit.decay(n))));
    memory.floats(unit.at(addresses.x, step), 1)[0] = multiply(input, dt);
    memory.floats(addresses.timeStep + 4 * (unit.unit * length + step), 1)[0] = add(time, multiply(input, x));
    decayGradient = decayGradient.map((value, n) => add(value, multiply(slopes[n]!, dt)));
    upstream = gradient.map((value, n) => multiply(value, powers[n]!));
  }
  perUnit(addresses.state).set(upstream);
  perUnit(addresses.decay).set(decayGradient);
}
