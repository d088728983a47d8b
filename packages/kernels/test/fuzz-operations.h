/* Random commands of the general operations for fuzz.c: any shape, strides, geometry, and indices that lead anywhere. */
#ifndef GALLOP_FUZZ_OPERATIONS_H
#define GALLOP_FUZZ_OPERATIONS_H
#include "../src/c/matmul.h"

static size_t command_start;
static void begin(int opcode) {
  if (length + 128 > MOST_WORDS) abort();
  command_start = length;
  words[length] = opcode + 256;
  length += 2;
}
static void operand(double x) { words[length++] = x; }
static void pointer(const void *p) { operand((double)(uintptr_t)p); }
static void operands(int count, const size_t *values) {
  for (int i = 0; i < count; i++) operand((double)values[i]);
}
static void end_command(void) {
  words[command_start + 1] = (double)(length - command_start);
  commands++;
}

static size_t random_sizes(int rank, size_t *sizes) {
  size_t total = 1;
  for (int i = 0; i < rank; i++) total *= sizes[i] = between(1, rank == 1 ? 900 : rank == 2 ? 40 : 7);
  return total;
}
/* Strides of a contiguous tensor whose axes are permuted, some of them repeated; returns its number of elements. */
static size_t random_strides(int rank, const size_t *sizes, size_t *strides, int repeats) {
  int order[8];
  for (int i = 0; i < rank; i++) order[i] = i;
  for (int i = rank - 1; i > 0; i--) {
    const int j = (int)between(0, (size_t)i), swapped = order[i];
    order[i] = order[j], order[j] = swapped;
  }
  size_t stride = 1;
  for (int i = 0; i < rank; i++) {
    const int axis = order[i], repeated = repeats && chance(25);
    strides[axis] = repeated ? 0 : stride;
    if (!repeated) stride *= sizes[axis];
  }
  return stride;
}
static int32_t *wild_indices(size_t count, size_t size) {
  int32_t *p = block(count * 4);
  for (size_t i = 0; i < count; i++) p[i] = chance(10) ? (int32_t)next() : (int32_t)between(0, size + 2) - 1;
  return p;
}

static void add_map(void) {
  const int rank = (int)between(1, 4), kind = (int)(next() % 3);
  const int function = kind == 0 ? (int)between(0, MAP_TO_BFLOAT) : kind == 1 ? (int)between(MAP_ADD, MAP_EQUAL) : (int)between(MAP_SELECT, MAP_MULTIPLY_ADD);
  size_t sizes[8], strides[3][8], counts[3];
  const size_t total = random_sizes(rank, sizes);
  for (int i = 0; i <= kind; i++) counts[i] = random_strides(rank, sizes, strides[i], 1);
  begin(OP_MAP);
  pointer(block(total * 4));
  for (int i = 0; i < 3; i++) i <= kind ? pointer(floats(counts[i])) : operand(0);
  operand(function), operand(0.7), operand(1.5), operand(rank);
  operands(rank, sizes);
  for (int i = 0; i <= kind; i++) operands(rank, strides[i]);
  end_command();
}
static void add_copy(void) {
  const int rank = (int)between(1, 5);
  size_t sizes[8], to[8], from[8];
  random_sizes(rank, sizes);
  const size_t out = random_strides(rank, sizes, to, 0), in = random_strides(rank, sizes, from, 1);
  begin(OP_COPY);
  pointer(block(out * 4)), pointer(floats(in)), operand(rank);
  operands(rank, sizes), operands(rank, to), operands(rank, from);
  end_command();
}
static void add_gather_and_scatter(void) {
  const int rank = (int)between(1, 4);
  size_t sizes[8], x[8], by[8], source[8];
  const size_t total = random_sizes(rank, sizes), axis_size = between(1, 9);
  const size_t line = random_strides(rank, sizes, x, 0), indexed = random_strides(rank, sizes, by, 1);
  begin(OP_GATHER);
  pointer(block(total * 4)), pointer(floats(line * axis_size)), pointer(wild_indices(indexed, axis_size));
  operand((double)line), operand((double)axis_size), operand(rank);
  operands(rank, sizes), operands(rank, x), operands(rank, by);
  end_command();
  const size_t count = between(1, 6), sources = random_strides(rank, sizes, source, 1);
  begin(OP_SCATTER);
  pointer(floats(line * axis_size)), pointer(floats(sources * count)), pointer(wild_indices(indexed * count, axis_size));
  operand(next() % 2), operand((double)count), operand((double)sources), operand((double)indexed), operand((double)line), operand((double)axis_size), operand(rank);
  operands(rank, sizes), operands(rank, x), operands(rank, source), operands(rank, by);
  end_command();
}
static void add_windows(void) {
  const size_t planes = between(1, 4), height = between(1, 12), width = between(1, 12), wh = between(1, 4), ww = between(1, 4), sh = between(1, 3), sw = between(1, 3);
  const size_t ph = between(0, 3), pw = between(0, 3), dh = between(1, 3), dw = between(1, 3), oh = between(1, 8), ow = between(1, 8);
  const size_t image = planes * height * width, columns = planes * wh * ww * oh * ow;
  const size_t geometry[] = {planes, height, width, wh, ww, sh, sw, ph, pw, dh, dw, oh, ow};
  for (int back = 0; back < 2; back++) {
    begin(back ? OP_FOLD : OP_UNFOLD);
    pointer(block((back ? image : columns) * 4)), pointer(floats(back ? columns : image)), operand(-1.5);
    operands(13, geometry);
    end_command();
  }
}
static void add_reductions(void) {
  const size_t outer = between(1, 9), count = between(1, 60), inner = chance(40) ? 1 : between(1, 150), total = outer * count * inner;
  emit(OP_REDUCE, 6, P(block(outer * inner * 4)), P(floats(total)), D(outer), D(count), D(inner), D(next() % 3));
  emit(OP_EXTREME_INDEX, 6, P(block(outer * inner * 4)), P(floats(total)), D(outer), D(count), D(inner), D(next() % 2));
  emit(OP_CUMULATIVE, 6, P(block(total * 4)), P(floats(total)), D(outer), D(count), D(inner), D(next() % 2));
  const size_t rows = between(1, 9), columns = between(1, 200);
  emit(OP_SOFTMAX, 5, P(block(rows * columns * 4)), P(floats(rows * columns)), D(rows), D(columns), D(next() % 2));
  emit(OP_NORMALISE, 8, P(block(rows * columns * 4)), P(floats(rows * columns)), chance(50) ? P(floats(columns)) : 0.0, chance(50) ? P(floats(columns)) : 0.0,
       D(rows), D(columns), 1e-5, D(next() % 2));
  need_scratch(columns);
  emit(OP_SORT, 6, P(block(rows * columns * 4)), P(block(rows * columns * 4)), P(floats(rows * columns)), D(rows), D(columns), D(next() % 2));
  emit(OP_QUANTIZE_ROWS, 5, P(block(rows * columns)), P(block(rows * 4)), P(floats(rows * columns)), D(rows), D(columns));
  emit(OP_CONVERT, 4, P(block(rows * columns * 4)), P(random_bytes(rows * columns)), D(rows * columns), D(next() % 2));
}
static void add_products(void) {
  const size_t m = chance(30) ? between(1, 200) : between(1, 30), n = chance(20) ? between(500, 530) : between(1, 70), k = chance(20) ? between(250, 270) : between(1, 40);
  const size_t batch = between(1, 3), left_batch = chance(50) ? m * k : 0, right_batch = chance(50) ? k * n : 0;
  const int left_turned = chance(50), right_turned = chance(50);
  need_scratch((rounded_up(m < 192 ? m : 192, 12) + rounded_up(n < 512 ? n : 512, 64)) * (k < 256 ? k : 256)); /* as matmul.ts asks */
  emit(OP_MATMUL, 14, P(block(batch * m * n * 4)), P(floats(left_batch ? batch * m * k : m * k)), P(floats(right_batch ? batch * k * n : k * n)), D(m), D(n), D(k),
       D(left_turned ? 1 : k), D(left_turned ? m : 1), D(right_turned ? 1 : n), D(right_turned ? k : 1), 1.0, D(batch), D(left_batch), D(right_batch));
  emit(OP_INTEGER_PRODUCT, 6, P(block(m * n * 4)), P(random_bytes(m * k)), P(random_bytes(n * k)), D(m), D(n), D(k));
}
static void add_scan(void) {
  const size_t batch = between(1, 3), groups = between(1, 3), heads = groups * between(1, 3), inner = between(1, 4), steps = between(1, 7), states = between(1, 40);
  const size_t units = batch * heads * inner, total = units * steps;
  const int per_state = chance(50), has_state = chance(50);
  need_scratch((steps + 3) * ((states + 15) / 16 * 16));
  float *out = block(total * 4), *last = block(units * states * 4), *x = floats(total), *dt = floats(batch * heads * steps);
  float *decay = floats(heads * (per_state ? states : 1)), *b = floats(batch * steps * groups * states), *c = floats(batch * steps * groups * states);
  float *state = has_state ? floats(units * states) : 0;
#define SCAN P(x), P(dt), P(decay), P(b), P(c), P(state), D(batch), D(heads), D(inner), D(steps), D(states), D(groups), D(per_state), \
  D(heads * inner * steps), D(inner * steps), D(steps), 1.0, D(heads * steps), D(steps), 1.0
  emit(OP_SCAN, 22, P(out), P(last), SCAN);
  emit(OP_SCAN_GRADIENT, 28, P(floats(total)), chance(50) ? P(floats(units * states)) : 0.0, P(block(total * 4)), P(block(total * 4)), P(block(units * states * 4)),
       P(block(total * states * 4)), P(block(total * states * 4)), P(block(units * states * 4)), SCAN);
}

static void add_operations(void) {
  static void (*const kinds[])(void) = {add_map, add_map, add_copy, add_gather_and_scatter, add_windows, add_reductions, add_products, add_scan};
  kinds[next() % 8]();
}
#endif
