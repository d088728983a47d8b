/* The general operations for compare-variants.c. */
#ifndef GALLOP_COMPARE_OPERATIONS_H
#define GALLOP_COMPARE_OPERATIONS_H

static void maps(void) {
  enum { COUNT = 600 };
  float *x = reals(COUNT, 30), *y = reals(COUNT, 3), *z = reals(COUNT, 1), *out = zeroes(COUNT * 4);
  for (int i = 0; i < 60; i++) x[i] = real(1) * (i & 1 ? 1e-3f : 0.9f), x[60 + i] = real(120), x[120 + i] = real(1e9f);
  x[0] = 0, x[1] = -0.0f, x[2] = __builtin_inff(), x[3] = -__builtin_inff(), x[4] = 1e-45f, x[5] = -1e-39f, x[6] = 88.72f, x[7] = -103.9f;
  for (int f = 0; f <= MAP_TO_BFLOAT; f++) CHECK("map", f, out, COUNT * 4, OP_MAP, 0, A(out), A(x), 0, 0, f, 0.7, 1.5, 1, COUNT, 1);
  for (int f = MAP_ADD; f <= MAP_EQUAL; f++) CHECK("map", f, out, COUNT * 4, OP_MAP, 0, A(out), A(x), A(y), 0, f, 0, 0, 2, 20, 30, 30, 1, 0, 1);
  for (int f = MAP_SELECT; f <= MAP_MULTIPLY_ADD; f++) CHECK("map", f, out, COUNT * 4, OP_MAP, 0, A(out), A(x), A(y), A(z), f, 0, 0, 1, COUNT, 1, 1, 0);
  free(x), free(y), free(z), free(out);
}

static void reductions(size_t outer, size_t count, size_t inner) {
  const size_t total = outer * count * inner, columns = count * inner;
  float *x = reals(total, 20), *weight = reals(columns, 1), *out = zeroes(total * 4);
  for (int kind = 0; kind < 3; kind++) CHECK("reduce", kind, out, outer * inner * 4, OP_REDUCE, 0, A(out), A(x), outer, count, inner, kind);
  for (int flag = 0; flag < 2; flag++) {
    CHECK("softmax", flag, out, total * 4, OP_SOFTMAX, 0, A(out), A(x), outer, columns, flag);
    CHECK("normalise", flag, out, total * 4, OP_NORMALISE, 0, A(out), A(x), A(weight), flag ? A(weight) : 0, outer, columns, 1e-5, flag);
    CHECK("sort", flag, out, total * 4, OP_SORT, 0, A(out), A(zeroes(total * 4)), A(x), outer, columns, flag);
  }
  CHECK("codes", (int)columns, out, total, OP_QUANTIZE_ROWS, 0, A(out), A(zeroes(outer * 4)), A(x), outer, columns);
  free(x), free(weight), free(out);
}

static void products(size_t m, size_t n, size_t k) {
  float *left = reals(m * k, 2), *right = reals(k * n, 2), *out = zeroes(m * n * 4);
  for (int turned = 0; turned < 4; turned++)
    CHECK("matmul", (int)(m * 1000 + n), out, m * n * 4, OP_MATMUL, 0, A(out), A(left), A(right), m, n, k, turned & 1 ? 1 : k, turned & 1 ? m : 1, turned & 2 ? 1 : n,
          turned & 2 ? k : 1, 1, 1, 0, 0);
  CHECK("integers", (int)k, out, m * n * 4, OP_INTEGER_PRODUCT, 0, A(out), A(left), A(right), m, n, k);
  free(left), free(right), free(out);
}

static void scans(size_t states, int per_state) {
  enum { HEADS = 4, INNER = 3, STEPS = 6, GROUPS = 2, UNITS = HEADS * INNER, TOTAL = UNITS * STEPS };
  float *x = reals(TOTAL, 2), *dt = reals(HEADS * STEPS, 1), *decay = reals(HEADS * states, 1), *b = reals(STEPS * GROUPS * states, 1), *c = reals(STEPS * GROUPS * states, 1);
  float *state = reals(UNITS * states, 1), *g = reals(TOTAL, 1), *out = zeroes(TOTAL * states * 4), *others[5];
  for (int i = 0; i < 5; i++) others[i] = zeroes(TOTAL * states * 4);
#define SCAN A(x), A(dt), A(decay), A(b), A(c), A(state), 1, HEADS, INNER, STEPS, states, GROUPS, per_state, TOTAL, INNER * STEPS, STEPS, 1, HEADS * STEPS, STEPS, 1
  CHECK("scan", (int)states, out, TOTAL * 4, OP_SCAN, 0, A(out), A(others[0]), SCAN);
  for (int which = 0; which < 6; which++) {
    double to[6];
    for (int i = 0; i < 6; i++) to[i] = i == which ? A(out) : A(others[i < which ? i : i - 1]);
    const size_t bytes = (which == 0 || which == 1 ? TOTAL : which == 3 || which == 4 ? TOTAL * states : UNITS * states) * 4;
    CHECK("scan gradient", which, out, bytes, OP_SCAN_GRADIENT, 0, A(g), A(state), to[0], to[1], to[2], to[3], to[4], to[5], SCAN);
  }
  free(x), free(dt), free(decay), free(b), free(c), free(state), free(g), free(out);
  for (int i = 0; i < 5; i++) free(others[i]);
}

static void operations(void) {
  maps();
  reductions(3, 37, 1), reductions(2, 40, 21), reductions(1, 5, 3);
  products(1, 40, 30), products(13, 70, 33), products(30, 17, 300);
  scans(5, 1), scans(16, 0), scans(37, 1);
}
#endif
