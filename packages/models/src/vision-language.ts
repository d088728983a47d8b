/**
 * Vision-language models of LLaVA's kind (Liu et al., 2023): the rows that a vision tower makes of an image are projected
 * to the width of a language model's embeddings and stand where the prompt has image tokens.
 *
 *   features = W₂ · gelu(W₁ · rows + b₁) + b₂
 */
import { type ForwardRequest, GallopError, type LanguageModel, requireArgument } from '@gallop/core';
import { type Backend, Recorder } from '@gallop/tensor';
import { llavaArchitecture, llavaText, llavaVision } from './architectures/llava.ts';
import { architectureOf, architectures } from './architectures/registry.ts';
import { visionArchitectures } from './architectures/vision.ts';
import { activate, activationNamed } from './blocks/activation.ts';
import { loadProjection, project } from './blocks/projection.ts';
import { DecoderModel } from './decoder-model.ts';
import { type LoadLanguageModelOptions, sessionOptions } from './load.ts';
import { checkpointOf, type ModelFiles } from './loading/checkpoint.ts';
import { ModelWeights } from './loading/model-weights.ts';
import { NamedWeights, type Naming } from './loading/named-weights.ts';
import type { Settings } from './loading/settings.ts';
import { readSpecialTokens } from './loading/special-tokens.ts';
import { LoadedVisionTower, type VisionTower } from './vision-tower.ts';

export interface VisionLanguageModel {
  readonly languageModel: LanguageModel;
  readonly tower: VisionTower;
  /** The token that stands for one row of an image. */
  readonly imageToken: number;
  /** Rows that each image takes in a prompt. */
  readonly rowsPerImage: number;
  /**
   * Image features ready to join a prompt.
   * @param pixels [images × channels × height × width], normalised
   * @returns [images × rowsPerImage × hiddenSize of the language model]
   * @throws GallopError `invalid-argument`, `out-of-memory`, `invalid-state`
   */
  encodeImages(pixels: Float32Array): Float32Array;
  /**
   * A prompt whose image tokens are the features, in order: the ids and embeddings of a forward request.
   * @throws GallopError `invalid-argument` unless there is one image token for each row of features
   */
  joinImages(ids: Int32Array, features: Float32Array): Required<Pick<ForwardRequest, 'ids' | 'embeddings'>>;
  dispose(): void;
}

/** Which layers' rows are taken, counted from the end where negative, and whether the class token stays. */
interface Selection {
  readonly layers: readonly number[];
  readonly dropsClassToken: boolean;
}

function readSelection({ json }: Settings, layerCount: number, classToken: boolean): Selection {
  const stated = json.get('vision_feature_layer') ?? -2;
  const layers = (Array.isArray(stated) ? stated : [stated]).map((layer) =>
    layer < 0 ? layerCount + 1 + layer : layer,
  );
  const strategy = json.string('vision_feature_select_strategy', 'default');
  const isLayer = (layer: unknown): boolean =>
    Number.isInteger(layer) && (layer as number) >= 0 && (layer as number) <= layerCount;
  if (layers.every(isLayer) && layers.length > 0 && (strategy === 'default' || strategy === 'full'))
    return { layers, dropsClassToken: strategy === 'default' && classToken };
  throw new GallopError(
    'unsupported',
    `expected features of layers within the tower's ${layerCount}, by strategy default or full; config.json says ${JSON.stringify(stated)} and ${strategy}`,
  );
}

/**
 * Loads a LLaVA-like model from the files of a Hugging Face checkpoint. They may be closed afterwards; the backend stays the
 * caller's.
 * @throws GallopError `unsupported` (architecture or format), `invalid-file`, `out-of-memory`, `invalid-argument`
 */
export async function loadVisionLanguageModel(
  files: ModelFiles,
  backend: Backend,
  options: LoadLanguageModelOptions = {},
): Promise<VisionLanguageModel> {
  const { settings, source } = checkpointOf(files);
  const { naming } = architectureOf([llavaArchitecture], settings);
  const text = llavaText(settings);
  const vision = llavaVision(settings);
  const textArchitecture = architectureOf(options.architectures ?? architectures, text);
  const visionArchitecture = architectureOf(visionArchitectures, vision);
  const textPlan = textArchitecture.plan(text, source);
  const visionPlan = visionArchitecture.plan(vision, source);
  const session = sessionOptions(options, textPlan);
  const weights = new ModelWeights(source, backend, { ...options, ...session });
  const named = (naming: Naming): NamedWeights => new NamedWeights(weights, 'huggingFace', naming);
  try {
    const network = await textPlan.load(named(textArchitecture.naming), session.contextLength);
    const tower = await visionPlan.load(named(visionArchitecture.naming));
    const tokens = readSpecialTokens(text, network.config.vocabSize);
    const languageModel = new DecoderModel(network, backend, tokens, session);
    return await joinParts(settings, named(naming), languageModel, new LoadedVisionTower(tower, backend), {
      backend,
      classToken: tower.config.classToken,
    });
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

async function joinParts(
  settings: Settings,
  weights: NamedWeights,
  languageModel: LanguageModel,
  tower: VisionTower,
  { backend, classToken }: { backend: Backend; classToken: boolean },
): Promise<VisionLanguageModel> {
  const { json } = settings;
  const { layers, dropsClassToken } = readSelection(settings, tower.layerCount, classToken);
  const { hiddenSize } = languageModel;
  const columns = tower.hiddenSize * layers.length;
  const bias = json.boolean('multimodal_projector_bias', true);
  const first = await loadProjection(weights, 'first', hiddenSize, columns, { bias });
  const second = await loadProjection(weights, 'second', hiddenSize, hiddenSize, { bias });
  const activation = activationNamed(json.string('projector_hidden_act', 'gelu'));
  const imageToken = json.number('image_token_index', json.number('image_token_id', 32000));
  const rowsPerImage = tower.rows - (dropsClassToken ? 1 : 0);

  /** The chosen layers' rows beside each other. [images · rowsPerImage, columns] */
  function selectedRows(pixels: Float32Array): Float32Array {
    const { hidden } = tower.encode(pixels, { hidden: layers });
    const width = tower.hiddenSize;
    const images = pixels.length / (tower.channels * tower.height * tower.width);
    const rows = new Float32Array(images * rowsPerImage * columns);
    for (let row = 0; row < images * rowsPerImage; row++) {
      const from = Math.floor(row / rowsPerImage) * tower.rows + (row % rowsPerImage) + tower.rows - rowsPerImage;
      layers.forEach((layer, index) => {
        rows.set(hidden.get(layer)!.subarray(from * width, (from + 1) * width), row * columns + index * width);
      });
    }
    return rows;
  }

  return {
    languageModel,
    tower,
    imageToken,
    rowsPerImage,
    encodeImages(pixels) {
      const rows = selectedRows(pixels);
      const t = new Recorder(backend);
      try {
        return t.scope(() => {
          const x = t.upload(rows, [rows.length / columns, columns]);
          const features = project(t, activate(t, project(t, x, first), activation), second);
          t.flush();
          return features.floats().slice();
        });
      } finally {
        t.dispose();
      }
    },
    joinImages(ids, features) {
      const places = ids.filter((id) => id === imageToken).length;
      requireArgument(
        features.length === places * hiddenSize,
        () =>
          `features of ${places} rows (one for each image token) of ${hiddenSize} numbers expected; received ${features.length} numbers`,
      );
      return { ids: ids.map((id) => (id === imageToken ? -1 : id)), embeddings: features };
    },
    dispose: () => languageModel.dispose(),
  };
}
