/** Post-processors of tokenizer.json. */
import { type PostProcessor, sequence, type Template, type TemplatePart } from '../post-processors/post-processor.ts';
import { trimOffsets } from '../post-processors/trim-offsets.ts';
import { ComponentFactory, Fields } from './fields.ts';

const factory = new ComponentFactory<PostProcessor>('post-processor', {
  Sequence: (fields, build) => sequence(fields.objects('processors').map(build)),
  ByteLevel: (fields) => ({
    template: undefined,
    treat: fields.boolean('trim_offsets', true) ? trimOffsets(fields.boolean('add_prefix_space', true)) : undefined,
  }),
  TemplateProcessing: (fields) => ({ template: templateFromJson(fields), treat: undefined }),
  BertProcessing: (fields) => {
    const classify = tokenPair(fields, 'cls');
    const separator = tokenPair(fields, 'sep');
    const single = [special(classify, 0), text(0, 0), special(separator, 0)];
    const pair = [...single, text(1, 1), special(separator, 1)];
    return { template: { single, pair, typesOverflow: false }, treat: undefined };
  },
  RobertaProcessing: (fields) => {
    const open = special(tokenPair(fields, 'cls'), 0);
    const close = special(tokenPair(fields, 'sep'), 0);
    const single = [open, text(0, 0), close];
    const pair = [...single, close, text(1, 0), close];
    const trims = fields.boolean('trim_offsets', true);
    return {
      template: { single, pair, typesOverflow: true },
      treat: trims ? trimOffsets(fields.boolean('add_prefix_space', true)) : undefined,
    };
  },
});

interface NamedToken {
  readonly token: string;
  readonly id: number;
}

function text(index: 0 | 1, typeId: number): TemplatePart {
  return { kind: 'text', text: index, typeId };
}

function special({ token, id }: NamedToken, typeId: number): TemplatePart {
  return { kind: 'special', ids: [id], tokens: [token], typeId };
}

/** ["[SEP]", 102]. */
function tokenPair(fields: Fields, key: string): NamedToken {
  const [token, id] = fields.list(key);
  if (typeof token === 'string' && typeof id === 'number' && Number.isSafeInteger(id)) return { token, id };
  throw fields.fail(key, 'a token and its id');
}

function templateFromJson(fields: Fields): Template {
  const tokens = fields.optionalObject('special_tokens');
  const parts = (key: string): TemplatePart[] => fields.objects(key).map((piece) => templatePart(piece, tokens));
  return { single: parts('single'), pair: parts('pair'), typesOverflow: false };
}

function templatePart(piece: Fields, tokens: Fields | undefined): TemplatePart {
  const sequencePart = piece.optionalObject('Sequence');
  if (sequencePart) {
    const id = sequencePart.choice('id', ['A', 'B']);
    return text(id === 'A' ? 0 : 1, typeIdOf(sequencePart));
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
