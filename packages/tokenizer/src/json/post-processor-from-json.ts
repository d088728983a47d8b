/** Post-processors of tokenizer.json. */
import {
  bertProcessor,
  byteLevelProcessor,
  type NamedToken,
  robertaProcessor,
} from '../post-processors/bert-processors.ts';
import { type PostProcessor, sequence } from '../post-processors/post-processor.ts';
import { type Template, type TemplatePart, templateProcessor } from '../post-processors/template.ts';
import { ComponentFactory, Fields } from './fields.ts';

const factory = new ComponentFactory<PostProcessor>('post-processor', {
  Sequence: (fields, build) => sequence(fields.objects('processors').map(build)),
  ByteLevel: (fields) =>
    byteLevelProcessor(fields.boolean('trim_offsets', true), fields.boolean('add_prefix_space', true)),
  TemplateProcessing: (fields) => templateProcessor(templateFromJson(fields)),
  BertProcessing: (fields) => bertProcessor(tokenPair(fields, 'cls'), tokenPair(fields, 'sep')),
  RobertaProcessing: (fields) =>
    robertaProcessor(
      tokenPair(fields, 'cls'),
      tokenPair(fields, 'sep'),
      fields.boolean('trim_offsets', true),
      fields.boolean('add_prefix_space', true),
    ),
});

/** ["[SEP]", 102]. */
function tokenPair(fields: Fields, key: string): NamedToken {
  const [token, id] = fields.list(key);
  if (typeof token === 'string' && typeof id === 'number' && Number.isSafeInteger(id)) return { token, id };
  throw fields.fail(key, 'a token and its id');
}

function templateFromJson(fields: Fields): Template {
  const tokens = fields.optionalObject('special_tokens');
  const parts = (key: string): TemplatePart[] => fields.objects(key).map((piece) => templatePart(piece, tokens));
  const single = parts('single');
  if (single.some((part) => part.kind === 'text' && part.text === 1)) {
    throw fields.fail('single', 'a template of sequence A alone');
  }
  return { single, pair: parts('pair') };
}

function templatePart(piece: Fields, tokens: Fields | undefined): TemplatePart {
  const sequencePart = piece.optionalObject('Sequence');
  if (sequencePart) {
    const id = sequencePart.choice('id', ['A', 'B']);
    return { kind: 'text', text: id === 'A' ? 0 : 1, typeId: typeIdOf(sequencePart) };
  }
  const token = piece.object('SpecialToken');
  const name = token.string('id');
  const definition = new Fields(tokens?.raw(name), `${tokens?.path ?? piece.path}[${JSON.stringify(name)}]`);
  const ids = definition.list('ids');
  const names = definition.list('tokens');
  if (!ids.every((id) => typeof id === 'number' && Number.isSafeInteger(id) && id >= 0)) {
    throw definition.fail('ids', 'a list of token ids');
  }
  if (names.length !== ids.length || !names.every((one) => typeof one === 'string')) {
    throw definition.fail('tokens', 'a token for each id');
  }
  return { kind: 'special', ids: ids as number[], tokens: names as string[], typeId: typeIdOf(token) };
}

function typeIdOf(fields: Fields): number {
  const typeId = fields.integer('type_id', 0);
  if (typeId > 255) throw fields.fail('type_id', 'an integer up to 255');
  return typeId;
}

/** @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields. */
export function postProcessorFromJson(fields: Fields): PostProcessor {
  return factory.build(fields);
}
