/*
 * Element by element: y = f(a, b, c) over tensors that are broadcast by strides. Output elements are computed in pieces
 * of 256; an operand that is not contiguous there is first laid out in a buffer, so that every function is one loop.
 */
#ifndef GALLOP_MAP_H
#define GALLOP_MAP_H
#include "functions.h"
#include "opcodes.h"

enum { MAP_PIECE = 256, MOST_AXES = 8 };

typedef struct {
  const float *operands[3];
  size_t strides[3][MOST_AXES];
  float *out;
  float p, q;
  int function, count /* of operands */, rank;
  size_t sizes[MOST_AXES];
} Map;

/* Elements [first, first + count) of an operand in output order; `buffer` holds MAP_PIECE floats. */
static const float *map_operand(const Map *m, int operand, size_t first, size_t count, float *buffer) {
  const size_t *strides = m->strides[operand], inner = m->sizes[m->rank - 1], step = strides[m->rank - 1];
  const float *x = m->operands[operand];
  if (m->rank == 1 && step == 1 && count % LANES == 0) return x + first;
  size_t at[MOST_AXES], offset = 0, rest = first;
  for (int axis = m->rank - 1; axis >= 0; axis--) {
    at[axis] = rest % m->sizes[axis];
    rest /= m->sizes[axis];
    offset += at[axis] * strides[axis];
  }
  for (size_t done = 0; done < count;) {
    size_t run = inner - at[m->rank - 1] < count - done ? inner - at[m->rank - 1] : count - done;
    if (step == 1) memcpy(buffer + done, x + offset, run * 4);
    else if (step == 0) { const float value = x[offset]; for (size_t i = 0; i < run; i++) buffer[done + i] = value; }
    else for (size_t i = 0; i < run; i++) buffer[done + i] = x[offset + i * step];
    done += run;
    offset += run * step;
    at[m->rank - 1] += run;
    for (int axis = m->rank - 1; axis > 0 && at[axis] == m->sizes[axis]; axis--) {
      offset = offset - m->sizes[axis] * strides[axis] + strides[axis - 1];
      at[axis] = 0, at[axis - 1]++;
    }
  }
  return buffer;
}

#define MAP_LOOP(name, value) \
  case name: \
    for (size_t i = 0; i < count; i += LANES) { \
      vf x = vf_load(a + i), y = vf_load(b + i), z = vf_load(c + i); \
      (void)y, (void)z; \
      vf_store(out + i, value); \
    } \
    break;
#define MAP_SCALAR(name, value) \
  case name: \
    for (size_t i = 0; i < count; i++) { const float x = a[i]; out[i] = value; } \
    break;

/* `count` is a multiple of LANES. */
static void map_piece(const Map *m, float *out, const float *a, const float *b, const float *c, size_t count) {
  const vf p = vf_set(m->p), q = vf_set(m->q), zero = vf_set(0.0f), one = vf_set(1.0f);
  switch (m->function) {
    MAP_LOOP(MAP_ABSOLUTE, vf_abs(x))
    MAP_LOOP(MAP_SIGN, vf_less(x, zero, vf_set(-1.0f), vf_less(zero, x, one, x)))
    MAP_LOOP(MAP_EXP, vf_exponential(x))
    MAP_LOOP(MAP_LOG, vf_log(x))
    MAP_LOOP(MAP_SQUARE_ROOT, vf_sqrt(x))
    MAP_LOOP(MAP_RECIPROCAL_SQUARE_ROOT, vf_div(one, vf_sqrt(x)))
    MAP_LOOP(MAP_RECIPROCAL, vf_div(one, x))
    MAP_LOOP(MAP_SQUARE, vf_mul(x, x))
    MAP_LOOP(MAP_TANH, vf_tanh(x))
    MAP_LOOP(MAP_SIGMOID, vf_sigmoid(x))
    MAP_LOOP(MAP_SILU, vf_div(x, vf_add(one, vf_exponential(vf_negative(x)))))
    MAP_LOOP(MAP_RELU, vf_less(x, zero, zero, x))
    MAP_LOOP(MAP_ERF, vf_erf(x))
    MAP_LOOP(MAP_GELU, vf_gelu(x))
    MAP_LOOP(MAP_GELU_TANH, vf_gelu_tanh(x))
    MAP_LOOP(MAP_GELU_QUICK, vf_div(x, vf_add(one, vf_exponential(vf_mul(x, vf_set(-1.702f))))))
    MAP_LOOP(MAP_SOFTPLUS, vf_softplus(x, p, q))
    MAP_LOOP(MAP_EXP_MINUS_ONE, vf_exp_minus_one(x))
    MAP_LOOP(MAP_ELU, vf_less(x, zero, vf_exp_minus_one(x), x))
    MAP_LOOP(MAP_LEAKY_RELU, vf_less(x, zero, vf_mul(x, p), x))
    MAP_LOOP(MAP_ROUND, vf_round(x))
    MAP_LOOP(MAP_FLOOR, vf_floor(x))
    MAP_LOOP(MAP_CLAMP, vf_less(x, p, p, vf_less(q, x, q, x)))
    MAP_LOOP(MAP_AFFINE, vf_add(vf_mul(x, p), q))
    MAP_LOOP(MAP_TO_BFLOAT, vf_to_bfloat(x))
    MAP_SCALAR(MAP_SINE, sine_from(x, 0))
    MAP_SCALAR(MAP_COSINE, sine_from(x, 1))
    MAP_SCALAR(MAP_POWER, power_of(x, m->p))
    MAP_LOOP(MAP_ADD, vf_add(x, y))
    MAP_LOOP(MAP_SUBTRACT, vf_sub(x, y))
    MAP_LOOP(MAP_MULTIPLY, vf_mul(x, y))
    MAP_LOOP(MAP_DIVIDE, vf_div(x, y))
    MAP_LOOP(MAP_MAXIMUM, vf_where_nan(x, x, vf_max(x, y)))
    MAP_LOOP(MAP_MINIMUM, vf_where_nan(x, x, vf_min(x, y)))
    MAP_LOOP(MAP_LESS, vf_less(x, y, one, zero))
    MAP_LOOP(MAP_EQUAL, vf_where_equal(x, y, one, zero))
    MAP_LOOP(MAP_SELECT, vf_where_equal(x, zero, z, y))
    MAP_LOOP(MAP_MULTIPLY_ADD, vf_add(vf_mul(x, y), z))
  }
}

/* Output elements [first, last), whose first piece begins at `first`. */
static void map_range(const Map *m, size_t first, size_t last) {
  float buffers[4][MAP_PIECE];
  memset(buffers, 0, sizeof buffers);
  if (m->rank == 1)
    for (int i = 0; i < m->count; i++)
      if (m->strides[i][0] == 0)
        for (int j = 0; j < MAP_PIECE; j++) buffers[i][j] = *m->operands[i];
  for (size_t at = first; at < last; at += MAP_PIECE) {
    const size_t count = last - at < MAP_PIECE ? last - at : MAP_PIECE, padded = (count + LANES - 1) / LANES * LANES;
    const float *operands[3];
    for (int i = 0; i < 3; i++) {
      if (i >= m->count) operands[i] = operands[0];
      else if (m->rank == 1 && m->strides[i][0] == 0) operands[i] = buffers[i];
      else operands[i] = map_operand(m, i, at, count, buffers[i]);
    }
    float *out = padded == count ? m->out + at : buffers[3];
    map_piece(m, out, operands[0], operands[1], operands[2], padded);
    if (padded != count) memcpy(m->out + at, out, count * 4);
  }
}
#endif
