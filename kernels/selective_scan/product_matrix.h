// Products of places and a packed weight in bfloat16 on Intel's matrix units, summed in float32.
//
// A tile register holds 16 rows of 64 bytes: of x, 16 places times 32 inputs; of the weight, 16
// pairs of inputs times 16 outputs. Inputs are padded with zeros to a multiple of 32.
#pragma once

#include <immintrin.h>

#include "vector.h"

namespace {

static_assert(W == 16 && AFX_PANEL == 16, "a tile is 16 places times 16 outputs");

constexpr int PANEL = AFX_PANEL, PLACES = 16, DEPTH = 32;

inline int64_t padded(int64_t channels) { return (channels + PANEL - 1) / PANEL * PANEL; }

// The tile registers of this thread: 0 and 1 for sums, 2 for places, 3 and 4 for weights. While
// they are in use, a change of threads costs 8 KB more; so they are given back.
struct Tiles {
  struct alignas(64) Shapes {
    uint8_t palette = 1, first = 0, unused[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16};
  };
  Tiles() {
    static const Shapes shapes;
    _tile_loadconfig(&shapes);
  }
  ~Tiles() { _tile_release(); }
};

// `places` rows of bfloat16, [PLACES][depth]; the others are 0.
inline void round_rows(const float *x, int64_t stride, int64_t inputs, int64_t places,
                       int64_t depth, uint16_t *rows) {
  for (int64_t m = 0; m < PLACES; m++)
    for (int64_t k = 0; k < depth; k += 16) {
      const int64_t count = m < places ? inputs - k : 0;
      const __mmask16 some = count >= 16 ? 0xffff : count > 0 ? (1 << count) - 1 : 0;
      const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, x + m * stride + k));
      _mm256_storeu_si256((__m256i *)(rows + m * depth + k), (__m256i)rounded);
    }
}

// Sums of two panels, [2][PLACES * PANEL].
inline void multiply(const uint16_t *rows, const uint16_t *first, const uint16_t *second,
                     int64_t depth, float *sums) {
  _tile_zero(0);
  _tile_zero(1);
  for (int64_t k = 0; k < depth; k += DEPTH) {
    _tile_loadd(2, rows + k, depth * 2);
    _tile_loadd(3, first + k * PANEL, 64);
    _tile_loadd(4, second + k * PANEL, 64);
    _tile_dpbf16ps(0, 2, 3);
    _tile_dpbf16ps(1, 2, 4);
  }
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + PLACES * PANEL, 64);
}

// take(place, first output, W outputs) for `places` places, `stride` floats apart, times a packed
// weight. Every place's sum runs in the same order, however places are grouped.
template <class Take>
inline void product(const float *x, int64_t stride, int64_t inputs, int64_t places,
                    const float *weight, int64_t outputs, const Take &take) {
  const int64_t depth = (inputs + DEPTH - 1) / DEPTH * DEPTH;
  const uint16_t *panels = reinterpret_cast<const uint16_t *>(weight);
  alignas(64) uint16_t rows[PLACES * AFX_MAX_DEPTH];
  alignas(64) float sums[2 * PLACES * PANEL];
  const Tiles tiles;
  for (int64_t m = 0; m < places; m += PLACES) {
    const int64_t count = places - m < PLACES ? places - m : PLACES;
    round_rows(x + m * stride, stride, inputs, count, depth, rows);
    for (int64_t n = 0; n < outputs; n += 2 * PANEL) {
      const bool both = n + PANEL < outputs;
      const uint16_t *panel = panels + n * depth;
      multiply(rows, panel, both ? panel + PANEL * depth : panel, depth, sums);
      for (int64_t r = 0; r < count; r++) {
        take(m + r, n, load(sums + r * PANEL));
        if (both) take(m + r, n + PANEL, load(sums + (PLACES + r) * PANEL));
      }
    }
  }
}

}  // namespace
