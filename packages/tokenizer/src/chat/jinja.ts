/** Jinja through @huggingface/jinja. */
import { Template } from '@huggingface/jinja';

/** Renders with the given variables. */
export type CompiledTemplate = (variables: Readonly<Record<string, unknown>>) => string;

export function compileTemplate(source: string): CompiledTemplate {
  const template = new Template(source);
  return (variables) => template.render({ ...variables });
}
