/*
 * The commands of the general operations: reads operands, hands out units of work. Included by run.c. Shapes travel in a
 * command as the number of axes, then the sizes, then strides in elements for each operand.
 */
#ifndef GALLOP_OPERATIONS_H
#define GALLOP_OPERATIONS_H
#include "integer.h"
#include "layout.h"
#include "map.h"
#include "matmul.h"
#include "reduce.h"
#include "scan.h"

INLINE const double *read_sizes(const double *w, int count, size_t *sizes) {
  for (int i = 0; i < count; i++) sizes[i] = (size_t)w[i];
  return w + count;
}
INLINE size_t product(const size_t *sizes, int count) {
  size_t total = 1;
  for (int i = 0; i < count; i++) total *= sizes[i];
  return total;
}

static void run_map(Lane *lane, const double *w) {
  Map m;
  m.out = ADDRESS(2), m.function = INT(6), m.p = FLOAT(7), m.q = FLOAT(8), m.rank = INT(9);
  m.count = m.function >= MAP_FIRST_TERNARY ? 3 : m.function >= MAP_FIRST_BINARY ? 2 : 1;
  const double *rest = read_sizes(w + 10, m.rank, m.sizes);
  for (int i = 0; i < m.count; i++) m.operands[i] = ADDRESS(3 + i), rest = read_sizes(rest, m.rank, m.strides[i]);
  size_t total = product(m.sizes, m.rank), first, last, pieces = (total + MAP_PIECE - 1) / MAP_PIECE;
  while (take(lane, pieces, share(lane, pieces, 4, 64), &first, &last)) map_range(&m, first * MAP_PIECE, smaller(last * MAP_PIECE, total));
}
static void run_copy(Lane *lane, const double *w) {
  Copy c;
  c.out = ADDRESS(2), c.x = ADDRESS(3), c.rank = INT(4);
  read_sizes(read_sizes(read_sizes(w + 5, c.rank, c.sizes), c.rank, c.out_strides), c.rank, c.strides);
  size_t rows = product(c.sizes, c.rank - 1), first, last;
  while (take(lane, rows, share(lane, rows, 4, 16 + 4096 / c.sizes[c.rank - 1]), &first, &last)) copy_rows_strided(&c, first, last);
}
static void run_gather(Lane *lane, const double *w) {
  Gather g;
  g.out = ADDRESS(2), g.x = ADDRESS(3), g.indices = ADDRESS(4), g.axis_stride = SIZE(5), g.axis_size = SIZE(6), g.rank = INT(7);
  read_sizes(read_sizes(read_sizes(w + 8, g.rank, g.sizes), g.rank, g.strides), g.rank, g.index_strides);
  size_t rows = product(g.sizes, g.rank - 1), first, last;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last)) gather_rows(&g, first, last);
}
static void run_scatter(Lane *lane, const double *w) {
  Scatter s;
  s.out = ADDRESS(2), s.source = ADDRESS(3), s.indices = ADDRESS(4), s.add = INT(5);
  s.count = SIZE(6), s.source_step = SIZE(7), s.index_step = SIZE(8), s.axis_stride = SIZE(9), s.axis_size = SIZE(10), s.rank = INT(11);
  read_sizes(read_sizes(read_sizes(read_sizes(w + 12, s.rank, s.sizes), s.rank, s.out_strides), s.rank, s.source_strides), s.rank, s.index_strides);
  size_t units = product(s.sizes, s.rank - 1) * ((s.sizes[s.rank - 1] + SCATTER_WIDTH - 1) / SCATTER_WIDTH), first, last;
  while (take(lane, units, 1, &first, &last)) scatter_unit(&s, first);
}
static Windows read_windows(const double *w) {
  return (Windows){ADDRESS(2), ADDRESS(3), FLOAT(4), SIZE(5), SIZE(6), SIZE(7), SIZE(8), SIZE(9), SIZE(10), SIZE(11), SIZE(12), SIZE(13), SIZE(14), SIZE(15), SIZE(16), SIZE(17)};
}
static void run_unfold(Lane *lane, const double *w) {
  const Windows windows = read_windows(w);
  size_t units = windows.planes * windows.window_height * windows.window_width, first, last;
  while (take(lane, units, share(lane, units, 4, 64), &first, &last))
    for (size_t unit = first; unit < last; unit++) unfold_unit(&windows, unit);
}
static void run_fold(Lane *lane, const double *w) {
  const Windows windows = read_windows(w);
  size_t first, last;
  while (take(lane, windows.planes, 1, &first, &last)) fold_unit(&windows, first);
}
static void run_reduce(Lane *lane, const double *w) {
  const float *x = ADDRESS(3);
  float *out = ADDRESS(2);
  size_t outer = SIZE(4), count = SIZE(5), inner = SIZE(6), pieces = (inner + 63) / 64, first, last;
  while (take(lane, outer * pieces, share(lane, outer * pieces, 4, 64), &first, &last))
    for (size_t unit = first; unit < last; unit++) {
      const size_t row = unit / pieces, column = unit % pieces * 64;
      reduce_unit(INT(7), out + row * inner + column, x + row * count * inner + column, count, inner, smaller(inner - column, 64));
    }
}
static void run_extreme_index(Lane *lane, const double *w) {
  const float *x = ADDRESS(3);
  int32_t *out = ADDRESS(2);
  size_t outer = SIZE(4), count = SIZE(5), inner = SIZE(6), first, last;
  while (take(lane, outer, share(lane, outer, 4, 64), &first, &last))
    for (size_t unit = first * inner; unit < last * inner; unit++) out[unit] = extreme_index(INT(7), x + unit / inner * count * inner + unit % inner, count, inner);
}
static void run_cumulative(Lane *lane, const double *w) {
  size_t outer = SIZE(4), count = SIZE(5), inner = SIZE(6), first, last;
  while (take(lane, outer, share(lane, outer, 4, 64), &first, &last))
    for (size_t unit = first; unit < last; unit++)
      cumulative_unit((float *)ADDRESS(2) + unit * count * inner, (const float *)ADDRESS(3) + unit * count * inner, count, inner, INT(7));
}
static void run_softmax(Lane *lane, const double *w) {
  size_t rows = SIZE(4), columns = SIZE(5), first, last;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last))
    for (size_t row = first; row < last; row++) softmax_row((float *)ADDRESS(2) + row * columns, (const float *)ADDRESS(3) + row * columns, columns, INT(6));
}
static void run_normalise(Lane *lane, const double *w) {
  size_t rows = SIZE(6), columns = SIZE(7), first, last;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last))
    for (size_t row = first; row < last; row++)
      normalise_row((float *)ADDRESS(2) + row * columns, (const float *)ADDRESS(3) + row * columns, ADDRESS(4), ADDRESS(5), columns, FLOAT(8), INT(9));
}
static void run_sort(Lane *lane, const double *w) {
  size_t rows = SIZE(5), columns = SIZE(6), first, last;
  while (take(lane, rows, 1, &first, &last))
    sort_row((float *)ADDRESS(2) + first * columns, (int32_t *)ADDRESS(3) + first * columns, (const float *)ADDRESS(4) + first * columns, columns, INT(7),
             (int32_t *)team_scratch(lane->team, lane->thread));
}
/* Blocks shrink until there is work for every thread. */
static void run_matmul(Lane *lane, const double *w) {
  Matmul p = {ADDRESS(2), ADDRESS(3), ADDRESS(4), SIZE(5), SIZE(6), SIZE(7), SIZE(8), SIZE(9), SIZE(10), SIZE(11), INT(12), {0}, {0}, {0}};
  read_sizes(read_sizes(read_sizes(w + 13, p.rank, p.sizes), p.rank, p.left_strides), p.rank, p.right_strides);
  const size_t batch = product(p.sizes, p.rank), wanted = lane->team->threads > 1 ? 3 * (size_t)lane->team->threads : 1;
  size_t rows = MATMUL_ROWS, columns = MATMUL_COLUMNS, first, last;
  while (columns > 64 && batch * ((p.m + rows - 1) / rows) * ((p.n + columns - 1) / columns) < wanted) columns /= 2;
  while (rows > 48 && batch * ((p.m + rows - 1) / rows) * ((p.n + columns - 1) / columns) < wanted) rows /= 2;
  const size_t down = (p.m + rows - 1) / rows, across = (p.n + columns - 1) / columns;
  while (take(lane, batch * down * across, 1, &first, &last)) {
    const size_t row = first / across % down * rows, column = first % across * columns;
    matmul_block(&p, first / across / down, row, smaller(rows, p.m - row), column, smaller(columns, p.n - column), team_scratch(lane->team, lane->thread));
  }
}
static Scan read_scan(const double *w) {
  return (Scan){ADDRESS(0), ADDRESS(1), ADDRESS(2), ADDRESS(3), ADDRESS(4), ADDRESS(5), SIZE(6), SIZE(7), SIZE(8), SIZE(9), SIZE(10), SIZE(11), SIZE(12),
                SIZE(13), SIZE(14), SIZE(15), SIZE(16), SIZE(17), SIZE(18), SIZE(19)};
}
static void run_scan(Lane *lane, const double *w) {
  const Scan s = read_scan(w + 4);
  float *last_state = ADDRESS(3), *state = team_scratch(lane->team, lane->thread);
  size_t units = s.batch * s.heads * s.inner, first, last;
  while (take(lane, units, share(lane, units, 4, 64), &first, &last))
    for (size_t unit = first; unit < last; unit++) {
      load_state(&s, unit, state);
      scan_unit(&s, unit, ADDRESS(2), state, 0);
      memcpy(last_state + unit * s.states, state, s.states * 4);
    }
}
static void run_scan_gradient(Lane *lane, const double *w) {
  const Scan s = read_scan(w + 10);
  const ScanGradient g = {ADDRESS(2), ADDRESS(3), ADDRESS(4), ADDRESS(5), ADDRESS(6), ADDRESS(7), ADDRESS(8), ADDRESS(9)};
  size_t units = s.batch * s.heads * s.inner, first, last;
  while (take(lane, units, 1, &first, &last)) scan_gradient_unit(&s, &g, first, team_scratch(lane->team, lane->thread));
}
static void run_quantize_rows(Lane *lane, const double *w) {
  size_t rows = SIZE(5), columns = SIZE(6), first, last;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last))
    for (size_t row = first; row < last; row++) quantize_whole_row((int8_t *)ADDRESS(2) + row * columns, (float *)ADDRESS(3) + row, (const float *)ADDRESS(4) + row * columns, columns);
}
static void run_integer_product(Lane *lane, const double *w) {
  size_t m = SIZE(5), n = SIZE(6), k = SIZE(7), first, last;
  while (take(lane, m, 1, &first, &last)) integer_product_row((int32_t *)ADDRESS(2) + first * n, (const int8_t *)ADDRESS(3) + first * k, ADDRESS(4), n, k);
}
static void run_convert(Lane *lane, const double *w) {
  size_t count = SIZE(4), first, last;
  while (take(lane, count, 4096, &first, &last)) convert_range(ADDRESS(2), ADDRESS(3), INT(5), first, last);
}

static void run_operation(Lane *lane, const double *w, int opcode) {
  switch (opcode) {
    case OP_MAP: run_map(lane, w); break;
    case OP_COPY: run_copy(lane, w); break;
    case OP_GATHER: run_gather(lane, w); break;
    case OP_SCATTER: run_scatter(lane, w); break;
    case OP_UNFOLD: run_unfold(lane, w); break;
    case OP_FOLD: run_fold(lane, w); break;
    case OP_REDUCE: run_reduce(lane, w); break;
    case OP_EXTREME_INDEX: run_extreme_index(lane, w); break;
    case OP_CUMULATIVE: run_cumulative(lane, w); break;
    case OP_SOFTMAX: run_softmax(lane, w); break;
    case OP_NORMALISE: run_normalise(lane, w); break;
    case OP_SORT: run_sort(lane, w); break;
    case OP_MATMUL: run_matmul(lane, w); break;
    case OP_SCAN: run_scan(lane, w); break;
    case OP_SCAN_GRADIENT: run_scan_gradient(lane, w); break;
    case OP_QUANTIZE_ROWS: run_quantize_rows(lane, w); break;
    case OP_INTEGER_PRODUCT: run_integer_product(lane, w); break;
    case OP_CONVERT: run_convert(lane, w); break;
  }
}
#endif
