/*
 * Moving elements: strided copies (permutations, slices, concatenation, padding, repetition), gather, scatter, and the
 * unfolding of images into the windows of a convolution and back. An index outside its axis reads as 0 and writes
 * nothing: no index can lead outside a tensor.
 */
#ifndef GALLOP_LAYOUT_H
#define GALLOP_LAYOUT_H
#include "map.h"

typedef struct {
  uint32_t *out;
  const uint32_t *x;
  int rank;
  size_t sizes[MOST_AXES], out_strides[MOST_AXES], strides[MOST_AXES];
} Copy;

/* Rows [first, last) of the last axis. */
static void copy_rows_strided(const Copy *c, size_t first, size_t last) {
  const int inner = c->rank - 1;
  const size_t count = c->sizes[inner], to = c->out_strides[inner], from = c->strides[inner];
  /* A transposition: neighbouring rows are read along the axis that is contiguous, 16 at a time. */
  const int turned = inner > 0 && to == 1 && from > 1 && c->strides[inner - 1] == 1;
  for (size_t row = first; row < last; row++) {
    size_t rest = row, out_offset = 0, offset = 0;
    for (int axis = inner - 1; axis >= 0; axis--) {
      size_t at = rest % c->sizes[axis];
      rest /= c->sizes[axis];
      out_offset += at * c->out_strides[axis], offset += at * c->strides[axis];
    }
    uint32_t *y = c->out + out_offset;
    const uint32_t *x = c->x + offset;
    if (turned && row + 16 <= last && row % c->sizes[inner - 1] + 16 <= c->sizes[inner - 1]) {
      const size_t step = c->out_strides[inner - 1];
      for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < 16; r++) y[r * step + i] = x[r + i * from];
      row += 15;
    } else if (to == 1 && from == 1) memcpy(y, x, count * 4);
    else if (to == 1 && from == 0) { const uint32_t value = *x; for (size_t i = 0; i < count; i++) y[i] = value; }
    else for (size_t i = 0; i < count; i++) y[i * to] = x[i * from];
  }
}

typedef struct {
  float *out;
  const float *x;
  const int32_t *indices;
  int rank;
  size_t axis_stride, axis_size;
  size_t sizes[MOST_AXES], strides[MOST_AXES] /* 0 along the axis */, index_strides[MOST_AXES];
} Gather;

/* Rows [first, last) of the last axis of the output. */
static void gather_rows(const Gather *g, size_t first, size_t last) {
  const int inner = g->rank - 1;
  const size_t count = g->sizes[inner], step = g->strides[inner], index_step = g->index_strides[inner];
  for (size_t row = first; row < last; row++) {
    size_t rest = row, offset = 0, index_offset = 0;
    for (int axis = inner - 1; axis >= 0; axis--) {
      size_t at = rest % g->sizes[axis];
      rest /= g->sizes[axis];
      offset += at * g->strides[axis], index_offset += at * g->index_strides[axis];
    }
    float *y = g->out + row * count;
    const float *x = g->x + offset;
    const int32_t *indices = g->indices + index_offset;
    if (index_step == 0 && step == 1) {
      const size_t index = (size_t)*indices; /* a negative index becomes a very large one */
      if (index < g->axis_size) memcpy(y, x + index * g->axis_stride, count * 4);
      else memset(y, 0, count * 4);
      continue;
    }
    for (size_t i = 0; i < count; i++) {
      const size_t index = (size_t)indices[i * index_step];
      y[i] = index < g->axis_size ? x[i * step + index * g->axis_stride] : 0.0f;
    }
  }
}

/*
 * The source and its indices are [outer][count][inner] by their own strides over the other axes; sources of one
 * line land on one line of the output, in order. A unit is an outer position and up to SCATTER_WIDTH of the last axis.
 */
enum { SCATTER_WIDTH = 256 };
typedef struct {
  float *out;
  const float *source;
  const int32_t *indices;
  int add, rank; /* axes other than the indexed one */
  size_t count, source_step, index_step, axis_stride, axis_size;
  size_t sizes[MOST_AXES], out_strides[MOST_AXES], source_strides[MOST_AXES], index_strides[MOST_AXES];
} Scatter;

static void scatter_unit(const Scatter *s, size_t unit) {
  const int inner = s->rank - 1;
  const size_t pieces = (s->sizes[inner] + SCATTER_WIDTH - 1) / SCATTER_WIDTH, from = unit % pieces * SCATTER_WIDTH;
  const size_t width = s->sizes[inner] - from < SCATTER_WIDTH ? s->sizes[inner] - from : SCATTER_WIDTH;
  size_t rest = unit / pieces, to = from * s->out_strides[inner], at = from * s->source_strides[inner], by = from * s->index_strides[inner];
  for (int axis = inner - 1; axis >= 0; axis--) {
    size_t i = rest % s->sizes[axis];
    rest /= s->sizes[axis];
    to += i * s->out_strides[axis], at += i * s->source_strides[axis], by += i * s->index_strides[axis];
  }
  for (size_t k = 0; k < s->count; k++)
    for (size_t i = 0; i < width; i++) {
      const size_t index = (size_t)s->indices[by + k * s->index_step + i * s->index_strides[inner]];
      if (index >= s->axis_size) continue;
      float *y = s->out + to + index * s->axis_stride + i * s->out_strides[inner];
      const float x = s->source[at + k * s->source_step + i * s->source_strides[inner]];
      *y = s->add ? *y + x : x;
    }
}

/* Windows of images [planes][height][width]: columns [planes][window height][window width][out height][out width]. */
typedef struct {
  float *out;
  const float *x;
  float fill;
  size_t planes, height, width, window_height, window_width, stride_height, stride_width, pad_height, pad_width, dilation_height, dilation_width, out_height, out_width;
} Windows;

/* One (plane, window row, window column): a whole output image. */
static void unfold_unit(const Windows *w, size_t unit) {
  const size_t dx = unit % w->window_width, dy = unit / w->window_width % w->window_height, plane = unit / w->window_width / w->window_height;
  float *y = w->out + unit * w->out_height * w->out_width;
  const float *x = w->x + plane * w->height * w->width;
  for (size_t row = 0; row < w->out_height; row++) {
    const size_t from = row * w->stride_height + dy * w->dilation_height - w->pad_height; /* wraps when above the image */
    for (size_t column = 0; column < w->out_width; column++) {
      const size_t at = column * w->stride_width + dx * w->dilation_width - w->pad_width;
      *y++ = from < w->height && at < w->width ? x[from * w->width + at] : w->fill;
    }
  }
}

/* One plane of the reverse: every pixel sums its places in the windows, in window order. `x` holds columns. */
static void fold_unit(const Windows *w, size_t plane) {
  const size_t image = w->out_height * w->out_width;
  float *y = w->out + plane * w->height * w->width;
  memset(y, 0, w->height * w->width * 4);
  for (size_t window = 0; window < w->window_height * w->window_width; window++) {
    const size_t dx = window % w->window_width, dy = window / w->window_width;
    const float *x = w->x + (plane * w->window_height * w->window_width + window) * image;
    for (size_t row = 0; row < w->out_height; row++) {
      const size_t to = row * w->stride_height + dy * w->dilation_height - w->pad_height;
      for (size_t column = 0; column < w->out_width; column++, x++) {
        const size_t at = column * w->stride_width + dx * w->dilation_width - w->pad_width;
        if (to < w->height && at < w->width) y[to * w->width + at] += *x;
      }
    }
  }
}
#endif
