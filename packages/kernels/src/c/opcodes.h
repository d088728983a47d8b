/* Generated from packages/tensor/src/opcodes.ts by packages/kernels/scripts/build.mjs. */
enum Opcode {
  OP_PACK = 1,
  OP_EMBED = 2,
  OP_RMS_NORM = 3,
  OP_QUANTIZE = 4,
  OP_LINEAR = 5,
  OP_ROPE = 6,
  OP_CACHE_WRITE = 7,
  OP_CACHE_MOVE = 8,
  OP_ATTENTION = 9,
  OP_GATED = 10,
  OP_ADD = 11,
  OP_SOFTCAP = 12,
  OP_TOP_K = 13,
  OP_COPY_ROWS = 14,
};
