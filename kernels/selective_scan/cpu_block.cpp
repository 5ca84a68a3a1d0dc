// A visual state-space block for inference, whole: norm, projection, 3 x 3 convolution, four-route
// scan, gated norm, projection, perceptron (Liu et al., VMamba, 2024, figure 3). One state a
// channel. Compiled once for each instruction level, as cpu_rows.cpp is.
//
// Tensors are [place][channel] and lanes are channels: the scan needs no shuffles, rows and columns
// are the same code with other strides, and a place's channels stay in the nearest cache from one
// product to the next. Rows of places in the workspace are one place longer than the plane, so that
// a column does not fall on one set of the cache.

#include "cpu_level.h"
#include "norm.h"
#ifdef AFX_MATRIX
#include "product_matrix.h"
#else
#include "product.h"
#endif
#include "vector.h"

namespace {

constexpr int64_t TILE = AFX_BLOCK_TILE;

struct Block {
  const afx_block_weights &in;
  int64_t height, width;
  int64_t channels() const { return in.channels; }
  int64_t inner() const { return padded(in.inner); }
  int64_t hidden() const { return padded(in.hidden); }
  int64_t factors() const { return in.rank + 2; }  // of a route: the step's, B and C
  int64_t projections() const { return padded(AFX_ROUTES * factors()); }
  int64_t pitch() const { return width + 1; }  // of rows of places in the workspace
};

// The values' half of the first projection, for one row of places.
void project_row(const Block &block, const float *x, float *values) {
  const int64_t channels = block.channels(), inner = block.inner();
  float normed[TILE * AFX_MAX_BLOCK];
  for (int64_t at = 0; at < block.width; at += TILE) {
    const int64_t places = block.width - at < TILE ? block.width - at : TILE;
    const float *from = x + at * channels;
    if (block.in.norm_weight) {
      norm(from, block.in.norm_weight, block.in.norm_bias, block.in.epsilon, normed, channels,
           places);
      from = normed;
    }
    float *to = values + at * inner;
    product(from, channels, channels, places, block.in.values, inner,
            [&](int64_t m, int64_t n, Floats v) { store(to + m * inner + n, v); });
  }
}

// silu of the 3 x 3 convolution of one row; rows[i] are the values above, at and below, or null.
void convolve_row(const Block &block, const float *const *rows, float *plane) {
  const int64_t inner = block.inner();
  for (int64_t c = 0; c < inner; c += W) {
    Floats taps[9];
    for (int k = 0; k < 9; k++) taps[k] = load(block.in.convolution + k * inner + c);
    const Floats bias = load(block.in.convolution_bias + c);
    for (int64_t x = 0; x < block.width; x++) {
      Floats sums[3] = {bias, all(0), all(0)};  // one a row: three short chains
      for (int i = 0; i < 3; i++) {
        if (!rows[i]) continue;
        const float *at = rows[i] + x * inner + c;
        if (x > 0) sums[i] += taps[3 * i] * load(at - inner);
        sums[i] += taps[3 * i + 1] * load(at);
        if (x + 1 < block.width) sums[i] += taps[3 * i + 2] * load(at + inner);
      }
      store(plane + x * inner + c, silu(sums[0] + sums[1] + sums[2]));
    }
  }
}

// Rows first..last - 1 up to the scan: plane and projections. values: four rows of places.
void front(const Block &block, const float *x, float *values, float *plane, float *projected,
           int64_t first, int64_t last) {
  const int64_t inner = block.inner(), line = block.width * inner;
  const auto row_of = [&](int64_t y) { return values + (y & 3) * line; };
  const auto project = [&](int64_t y) {
    project_row(block, x + y * block.width * block.channels(), row_of(y));
  };
  if (first > 0) project(first - 1);
  project(first);
  for (int64_t y = first; y < last; y++) {
    if (y + 1 < block.height) project(y + 1);
    const float *const rows[3] = {y > 0 ? row_of(y - 1) : nullptr, row_of(y),
                                  y + 1 < block.height ? row_of(y + 1) : nullptr};
    const int64_t at = y * block.pitch();
    convolve_row(block, rows, plane + at * inner);
    float *to = projected + at * block.projections();
    product(plane + at * inner, inner, block.in.inner, block.width, block.in.projection,
            block.projections(),
            [&](int64_t m, int64_t n, Floats v) { store(to + m * block.projections() + n, v); });
  }
}

struct Walk {  // a route's lines: how many, how long, and the strides between them, in places
  int64_t lines, length, line, place, start;
};

// One route of Count vectors of channels from `channel` on. Several places' powers are made
// together, since a single chain of them would leave the units idle.
template <int Count, int Rank>
void scan_route(const Block &block, const float *plane, const float *projected, float *out,
                int64_t route, const Walk &walk, int64_t channel) {
  constexpr int TOGETHER = 4 / Count;
  const int64_t rank = Rank ? Rank : block.in.rank;  // known ones are unrolled
  const int64_t inner = block.inner(), row = route * inner + channel;
  Floats state[Count] = {}, bias[Count], A[Count], D[Count], weights[AFX_MAX_RANK][Count];
  for (int v = 0; v < Count; v++) {
    bias[v] = load(block.in.step_bias + row + v * W);
    A[v] = load(block.in.A + row + v * W);
    D[v] = load(block.in.D + channel + v * W);
    for (int64_t k = 0; k < rank; k++)
      weights[k][v] = load(block.in.step_weight + (route * rank + k) * inner + channel + v * W);
  }
  const auto run = [&](int64_t at, auto together) {
    constexpr int N = decltype(together)::value;
    const float *factors[N];
    Floats steps[N][Count], decays[N][Count];
    for (int i = 0; i < N; i++) {
      const int64_t place = at + i * walk.place;
      factors[i] = projected + place * block.projections() + route * block.factors();
      for (int v = 0; v < Count; v++) {
        Floats s = bias[v];
        for (int64_t k = 0; k < rank; k++) s += factors[i][k] * weights[k][v];
        steps[i][v] = s;
      }
    }
    for (int i = 0; i < N; i++)
      for (int v = 0; v < Count; v++) steps[i][v] = softplus2(steps[i][v]);
    for (int i = 0; i < N; i++)
      for (int v = 0; v < Count; v++) decays[i][v] = exponential2_below_one(steps[i][v] * A[v]);
    for (int i = 0; i < N; i++) {
      const int64_t place = at + i * walk.place;
      const float B = factors[i][rank], C = factors[i][rank + 1];
      for (int v = 0; v < Count; v++) {
        const Floats u = load(plane + place * inner + channel + v * W);
        float *to = out + place * inner + channel + v * W;
        state[v] = decays[i][v] * state[v] + (steps[i][v] * B) * u;
        store(to, C * state[v] + (route == 0 ? D[v] * u : load(to)));
      }
    }
  };
  for (int64_t line = 0; line < walk.lines; line++) {
    int64_t at = walk.start + line * walk.line, t = 0;
    for (; t + TOGETHER <= walk.length; t += TOGETHER, at += TOGETHER * walk.place)
      run(at, std::integral_constant<int, TOGETHER>());
    for (; t < walk.length; t++, at += walk.place) run(at, std::integral_constant<int, 1>());
  }
}

// All four routes of `Count` vectors of channels.
template <int Count>
void scan_channels(const Block &block, const float *plane, const float *projected, float *out,
                   int64_t channel) {
  const int64_t height = block.height, width = block.width, pitch = block.pitch();
  const int64_t end = (height - 1) * pitch + width - 1;
  const Walk walks[AFX_ROUTES] = {{height, width, pitch, 1, 0},
                                  {width, height, 1, pitch, 0},
                                  {height, width, -pitch, -1, end},
                                  {width, height, -1, -pitch, end}};
  const auto scan = block.in.rank == 1   ? scan_route<Count, 1>
                    : block.in.rank == 2 ? scan_route<Count, 2>
                                         : scan_route<Count, 0>;
  for (const int64_t route : {0, 2, 1, 3})
    scan(block, plane, projected, out, route, walks[route], channel);
}

void scan(const Block &block, const float *plane, const float *projected, float *out,
          int64_t channel) {
  scan_channels<AFX_SCAN_LANES / W>(block, plane, projected, out, channel);
}

// Rows first..last - 1 after the scan: gated norm, projection, residual, perceptron, residual.
void back(const Block &block, const float *scanned, float *x, float *hidden, int64_t first,
          int64_t last) {
  const afx_block_weights &in = block.in;
  const int64_t channels = block.channels(), inner = block.inner(), units = block.hidden();
  const int64_t outputs = padded(channels);
  float normed[TILE * AFX_MAX_BLOCK], middle[TILE * AFX_MAX_BLOCK];
  float gated[TILE * AFX_MAX_INNER], mixed[TILE * AFX_MAX_INNER];
  for (int64_t y = first; y < last; y++) {
    for (int64_t at = 0; at < block.width; at += TILE) {
      const int64_t places = block.width - at < TILE ? block.width - at : TILE;
      float *const own = x + (y * block.width + at) * channels;
      const float *from = own;
      if (in.norm_weight) {
        norm(own, in.norm_weight, in.norm_bias, in.epsilon, normed, channels, places);
        from = normed;
      }
      const float *const values = scanned + (y * block.pitch() + at) * inner;
      norm_wide(values, in.out_norm_weight, in.out_norm_bias, in.epsilon, mixed, in.inner, places,
                inner);
      product(from, channels, channels, places, in.gate, inner,
              [&](int64_t m, int64_t n, Floats v) {
                store(gated + m * inner + n, silu(v) * load(mixed + m * inner + n));
              });
      product(gated, inner, in.inner, places, in.out, outputs, [&](int64_t m, int64_t n, Floats v) {
        const int64_t count = channels - n < W ? channels - n : W;
        if (count <= 0) return;
        store_some(middle + m * channels + n, count, v + load_some(own + m * channels + n, count));
      });
      from = middle;
      if (in.norm_weight) {
        norm(middle, in.norm2_weight, in.norm2_bias, in.epsilon, normed, channels, places);
        from = normed;
      }
      product(from, channels, channels, places, in.first, units,
              [&](int64_t m, int64_t n, Floats v) {
                store(hidden + m * units + n, gelu(v + load(in.first_bias + n)));
              });
      product(hidden, units, in.hidden, places, in.second, outputs,
              [&](int64_t m, int64_t n, Floats v) {
                const int64_t count = channels - n < W ? channels - n : W;
                if (count <= 0) return;
                const Floats residual = load_some(middle + m * channels + n, count);
                store_some(own + m * channels + n, count, v + load(in.second_bias + n) + residual);
              });
    }
  }
}

#define AFX_JOIN_OF(a, b) a##b
#define AFX_JOIN(a, b) AFX_JOIN_OF(a, b)

}  // namespace

const CpuBlock AFX_JOIN(afx_block_, AFX_LEVEL) = {
    [](const afx_block_weights &in, int64_t height, int64_t width, const float *x, float *values,
       float *plane, float *projected, int64_t first, int64_t last) {
      front({in, height, width}, x, values, plane, projected, first, last);
    },
    [](const afx_block_weights &in, int64_t height, int64_t width, const float *plane,
       const float *projected, float *out, int64_t channel) {
      scan({in, height, width}, plane, projected, out, channel);
    },
    [](const afx_block_weights &in, int64_t height, int64_t width, const float *scanned, float *x,
       float *hidden, int64_t first, int64_t last) {
      back({in, height, width}, scanned, x, hidden, first, last);
    }};
