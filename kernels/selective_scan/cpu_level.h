// What one compiled instruction level offers to the dispatcher in cpu.cpp.
#pragma once

#include <stdint.h>

#include "audiofix_kernels.h"

// A unit of work is a run of rows of one group that one thread walks, so a row's result does not
// depend on how many threads there are. Rows are walked in blocks, tile by tile, so that the
// tiles of B and C, and of their gradients, stay in the nearest cache while a block uses them.
constexpr int64_t BLOCK = 8;

struct RowRange {
  int64_t item, group, first, last;  // rows first..last - 1 of batch item `item`
};

// Where a unit puts its sums; the dispatcher adds them up in a fixed order.
struct PartialSums {
  float *A, *D, *delta_bias;  // of row 0 of the item: [channels, state], [channels], [channels]
  float *B, *C;               // [state, length]
};

struct CpuLevel {
  const char *name;
  void (*forward)(const afx_scan_inputs &, float *out, float *checkpoints, const afx_scan_shape &,
                  RowRange);
  void (*backward)(const afx_scan_inputs &, const float *dout, const float *checkpoints,
                   const afx_scan_gradients &, const PartialSums &, const afx_scan_shape &,
                   RowRange);
};

extern const CpuLevel afx_level_baseline;
extern const CpuLevel afx_level_avx2;
extern const CpuLevel afx_level_avx512;

// What cpu_plane.cpp offers, for channels block..stop - 1 of an item, and for places first..last
// - 1.
struct CpuPlane {
  void (*scan)(const afx_plane_inputs &, float *out, const afx_plane_shape &, int64_t item,
               int64_t block, int64_t stop);
  void (*convolve)(const float *plane, const float *weight, float bias, float *out, int64_t height,
                   int64_t width);
  void (*norm_gate)(const float *x, const float *gate, const float *weight, const float *bias,
                    float epsilon, float *out, int64_t channels, int64_t places, int64_t first,
                    int64_t last);
  void (*norm)(const float *x, const float *weight, const float *bias, float epsilon, float *out,
               int64_t channels, int64_t places);
  void (*project)(const float *x, const float *weight, const float *bias, bool gelu, float *out,
                  int64_t inputs, int64_t outputs, int64_t stride, int64_t places);
};

extern const CpuPlane afx_plane_baseline;
extern const CpuPlane afx_plane_avx2;
extern const CpuPlane afx_plane_avx512;

// What cpu_block.cpp offers: rows first..last - 1 up to the scan and after it, and the scan of
// AFX_SCAN_LANES channels from `channel` on.
struct CpuBlock {
  void (*front)(const afx_block_weights &, int64_t height, int64_t width, const float *x,
                float *values, float *plane, float *projected, int64_t first, int64_t last);
  void (*scan)(const afx_block_weights &, int64_t height, int64_t width, const float *plane,
               const float *projected, float *out, int64_t channel);
  void (*back)(const afx_block_weights &, int64_t height, int64_t width, const float *scanned,
               float *x, float *hidden, int64_t first, int64_t last);
};

constexpr int64_t AFX_BLOCK_TILE = 64;  // places from product to product

extern const CpuBlock afx_block_baseline;
extern const CpuBlock afx_block_avx2;
extern const CpuBlock afx_block_avx512;
extern const CpuBlock afx_block_matrix;  // products in bfloat16

int afx_cpu_level();  // the instructions in use
