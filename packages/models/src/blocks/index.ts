export { type Activation, activate, activationNamed, gateNamed } from './activation.ts';
export {
  type Attention,
  type AttentionLoading,
  attentionActivations,
  type HeadShape,
  loadAttention,
  type SelfAttentionOptions,
  selfAttention,
} from './attention.ts';
export { distanceTable } from './distance-bias.ts';
export { type Experts, type ExpertsConfig, loadExperts, mixtureOfExperts } from './experts.ts';
export {
  type GatedMlp,
  type GatedMlpLoading,
  gatedMlp,
  gatedMlpActivations,
  loadGatedMlp,
  loadPlainMlp,
  type MlpSizes,
  type PlainMlp,
  plainMlp,
} from './mlp.ts';
export { loadLayerNorm, loadRmsNorm, type Norm, type NormOptions, normalize } from './norm.ts';
export { loadProjection, type Projection, type ProjectionOptions, project } from './projection.ts';
