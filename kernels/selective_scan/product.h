// Products of places and a packed weight in vectors of floats.
#pragma once

#include "vector.h"

namespace {

constexpr int PANEL = AFX_PANEL;  // outputs that a product makes side by side
constexpr int VECTORS = PANEL / W;
constexpr int ROWS = W == 16 ? 16 : W == 8 ? 6 : 3;  // sums fit the registers

inline int64_t padded(int64_t channels) { return (channels + PANEL - 1) / PANEL * PANEL; }

// `Rows` places from `x` on times one panel of the weight, [inputs][PANEL].
template <int Rows, class Take>
inline void product_rows(const float *x, int64_t stride, int64_t inputs, const float *panel,
                         int64_t place, int64_t output, const Take &take) {
  Floats sums[Rows][VECTORS] = {};
  for (int64_t k = 0; k < inputs; k++) {
    Floats weights[VECTORS];
    for (int v = 0; v < VECTORS; v++) weights[v] = load(panel + k * PANEL + v * W);
    for (int r = 0; r < Rows; r++)
      for (int v = 0; v < VECTORS; v++) sums[r][v] += x[r * stride + k] * weights[v];
  }
  for (int r = 0; r < Rows; r++)
    for (int v = 0; v < VECTORS; v++) take(place + r, output + v * W, sums[r][v]);
}

// take(place, first output, W outputs) for `places` places, `stride` floats apart, times a packed
// weight. Every place's sum runs in the same order, however places are grouped.
template <class Take>
inline void product(const float *x, int64_t stride, int64_t inputs, int64_t places,
                    const float *weight, int64_t outputs, const Take &take) {
  for (int64_t n = 0; n < outputs; n += PANEL) {
    const float *panel = weight + n * inputs;
    int64_t m = 0;
    for (; m + ROWS <= places; m += ROWS)
      product_rows<ROWS>(x + m * stride, stride, inputs, panel, m, n, take);
    for (; m < places; m++) product_rows<1>(x + m * stride, stride, inputs, panel, m, n, take);
  }
}

}  // namespace
