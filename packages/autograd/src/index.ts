export { type AdamOptions, adam, adamW } from './optimisers/adam.ts';
export { type AuonMode, type AuonOptions, auon, auonBrake } from './optimisers/auon.ts';
export { averageDecay, clipNorm, clipValue, updateAverage } from './optimisers/clipping.ts';
export { type LionOptions, lion } from './optimisers/lion.ts';
export { type MuonOptions, muon, type NewtonSchulzOptions, newtonSchulz } from './optimisers/muon.ts';
export type { Optimiser } from './optimisers/optimiser.ts';
export {
  cooldownSchedule,
  cosineMinimumSchedule,
  cosineSchedule,
  linearSchedule,
  type Schedule,
  warmupStableDecaySchedule,
} from './optimisers/schedules.ts';
export { type SgdOptions, sgd } from './optimisers/sgd.ts';
export { Variable } from './optimisers/state.ts';
export { Tape, type Upstream } from './tape.ts';
