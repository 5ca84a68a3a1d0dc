// What one compiled instruction level of the convolution along time offers to its interface.
#pragma once

#include "audiofix_kernels.h"

// One group of channels of one call.
struct TimeStream {
  const float *history, *x;  // [reach, inputs], [time, inputs]
  int64_t context;           // rows of the history's end that this call looks back to
  int64_t steps;             // of the result
  const float *residual;     // of the result's shape, or null
  float *out;                // [steps, outputs], or [steps, outputs of `then`]
};

struct Activation {
  int code;
  float slope;
};

using ConvolveTime = void(const afx_convolution &, const afx_convolution *then, int64_t group,
                          const TimeStream &, Activation, float *workspace);

extern ConvolveTime afx_convolve_time_baseline, afx_convolve_time_avx2, afx_convolve_time_avx512;

int afx_cpu_level();  // the instructions in use

inline int64_t afx_reach(const afx_convolution &in) { return (in.taps - 1) * in.dilation; }

// Steps that are computed from one activated copy of their inputs, which stays in the second cache.
inline int64_t afx_time_tile(const afx_convolution &in, int64_t steps) {
  constexpr int64_t FLOATS = 65536;
  const int64_t rows = FLOATS / in.inputs - afx_reach(in);
  const int64_t tile = rows / in.stride;
  return tile < 64 ? (steps < 64 ? steps : 64) : (steps < tile ? steps : tile);
}

// The workspace's part for the inputs of a tile, in floats.
inline int64_t afx_tile_inputs(const afx_convolution &in, int64_t tile) {
  return ((tile - 1) * in.stride + 1 + afx_reach(in)) * in.inputs;
}
