/** Chat templates: Jinja programs, stored with a model, that write a conversation as the text it was trained on. */
import { GallopError } from '@gallop/core';
import { type CompiledTemplate, compileTemplate } from './jinja.ts';

/** One message; templates read further fields such as tool_calls too. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /** End with the beginning of an answer of the model. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** Tools that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[] | null;
  /** Further variables, such as bos_token. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Name of the template. Default: 'tool_use' if there are tools and such a template, otherwise 'default'. */
  readonly template?: string;
}

const compiled = new Map<string, CompiledTemplate>();
const MOST_COMPILED = 32;

function compile(template: string): CompiledTemplate {
  let program = compiled.get(template);
  if (!program) {
    program = compileTemplate(template);
    if (compiled.size >= MOST_COMPILED) compiled.clear();
    compiled.set(template, program);
  }
  return program;
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Renders a template as Hugging Face does: trim_blocks and lstrip_blocks on; `messages`, `tools`, `documents`,
 * `add_generation_prompt` and the given variables in scope.
 * @throws GallopError `invalid-file` for a template that is no valid Jinja, `invalid-argument` where it fails on these
 * messages (raise_exception included).
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
): string {
  let program: CompiledTemplate;
  try {
    program = compile(template);
  } catch (error) {
    throw new GallopError(
      'invalid-file',
      `Expected a chat template in Jinja; it does not parse: ${causeOf(error)}. Correct the template or pass one of your own.`,
      { cause: error },
    );
  }
  try {
    return program({
      documents: null,
      ...options.variables,
      messages,
      tools: options.tools ?? null,
      add_generation_prompt: options.addGenerationPrompt ?? true,
    });
  } catch (error) {
    throw new GallopError(
      'invalid-argument',
      `Expected messages that the chat template accepts; it fails with: ${causeOf(error)}. Change the roles, their order or the content.`,
      { cause: error },
    );
  }
}
