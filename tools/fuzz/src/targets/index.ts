/** All targets. */
import type { FuzzTarget } from '../target.ts';
import { chatTemplate } from './chat-template.ts';
import { gguf } from './gguf.ts';
import { ids } from './ids.ts';
import { safetensors } from './safetensors.ts';
import { text } from './text.ts';
import { tokenizerJson } from './tokenizer-json.ts';

export const targets: readonly FuzzTarget[] = [safetensors, gguf, tokenizerJson, text, ids, chatTemplate];
