/** Greedy decoding over any session, for the cases that record it. */
import { chooseGreedy, type ForwardRequest, type Session } from '@gallop/core';

/** @param excluded a token that is never chosen */
export async function decodeGreedily(
  session: Session,
  prompt: ForwardRequest,
  count: number,
  excluded = -1,
): Promise<{ tokens: number[]; lastLogits: Float32Array }> {
  const tokens: number[] = [];
  let request = prompt;
  for (;;) {
    const logits = (await session.forward({ ...request, want: { logits: 'last' } })).logits!;
    session.commit(Int32Array.from(request.ids.keys()));
    if (tokens.length === count) return { tokens, lastLogits: logits.slice() };
    if (excluded >= 0) logits[excluded] = Number.NEGATIVE_INFINITY;
    tokens.push(chooseGreedy(logits));
    request = { ids: Int32Array.of(tokens.at(-1)!) };
  }
}
