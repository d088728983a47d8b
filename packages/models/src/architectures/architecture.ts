/**
 * What an architecture is to the loader: the names it answers to, where its tensors are, and how a configuration becomes
 * a network. See docs/adding-a-model.md.
 */
import type { NamedWeights, Naming } from '../loading/named-weights.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import type { LanguageNetwork } from '../runtime/network.ts';

export interface ArchitectureNames {
  /** `model_type` of config.json. */
  readonly huggingFace: readonly string[];
  /** `general.architecture` of GGUF files; none where GGUF has no such architecture. */
  readonly gguf: readonly string[];
  /** Names of its tensors. */
  readonly naming: Naming;
}

/** What is known of a model before a weight is read. */
export interface NetworkPlan {
  /** Positions the network was made for: the most rows a session may hold. */
  readonly contextLength: number;
  /** Whether sessions may hold more rows than that when they are asked to. Default false. */
  readonly isUnbounded?: boolean;
  /**
   * Reads the weights.
   * @param contextLength rows a session will hold at most
   * @throws GallopError `invalid-file` for weights that do not fit the configuration
   */
  load(weights: NamedWeights, contextLength: number): Promise<LanguageNetwork>;
}

/** A language model that continues or fills sequences of tokens. */
export interface Architecture extends ArchitectureNames {
  /** Reads and checks the configuration. @throws GallopError `invalid-file`, `unsupported` */
  plan(settings: Settings, source: WeightSource): NetworkPlan;
}
