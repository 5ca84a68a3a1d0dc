// A convolution along time, [time][channels], with an activation before it, and behind it a
// pointwise convolution, after the same activation, and a residual. Compiled once for each
// instruction level, as selective_scan/cpu_rows.cpp is.
//
// The inputs of a tile of steps are activated once, into the workspace. Then some steps times a
// panel of outputs are summed in registers over all taps and inputs: a tap is the same rows of the
// workspace, read further on, so nothing is gathered. A step's sum runs in one order however steps
// are grouped, so its bits do not depend on how a stream is cut.

#include "../selective_scan/vector.h"
#include "level.h"

namespace {

constexpr int PANEL = AFX_CONVOLUTION_PANEL;   // outputs that lie side by side in a packed weight
constexpr int VECTORS = W == 16 ? 2 : 16 / W;  // of a panel that are summed together
constexpr int ROWS = W == 16 ? 14 : W == 8 ? 6 : 3;  // sums fit the registers

// How far in front weights are fetched, in floats: with few steps in a call, as live, they come
// from afar, and there is nothing else to wait for.
constexpr int64_t AHEAD = 16 * PANEL;

// e^v - 1 below zero.
inline Floats elu(Floats v) {
  const Floats below = v > 0 ? all(0) : v;
  return v > 0 ? v : exponential2_below_one(below * LOG2_E) - 1.0f;
}

inline Floats leaky(Floats v, float slope) { return v > 0 ? v : v * slope; }

// `to` may be `from`.
void activate(const float *from, float *to, int64_t count, Activation activation) {
  if (activation.code == AFX_NO_ACTIVATION) {
    if (to != from) memcpy(to, from, count * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < count; i += W) {
    const Floats v = load_some(from + i, count - i);
    store_some(to + i, count - i, activation.code == AFX_ELU ? elu(v) : leaky(v, activation.slope));
  }
}

// The activated inputs of steps first..first + steps - 1.
void activate_rows(const afx_convolution &in, const TimeStream &s, int64_t first, int64_t steps,
                   Activation activation, float *to) {
  int64_t row = first * in.stride - s.context, rows = (steps - 1) * in.stride + 1 + afx_reach(in);
  if (row < 0) {
    const int64_t before = -row < rows ? -row : rows;
    const float *from = s.history + (afx_reach(in) + row) * in.inputs;
    activate(from, to, before * in.inputs, activation);
    to += before * in.inputs, rows -= before, row = 0;
  }
  activate(s.x + row * in.inputs, to, rows * in.inputs, activation);
}

struct Outputs {  // where the sums of a run of steps go
  const float *bias, *residual;
  float *out;
  int64_t outputs, first;  // of a step; the first one of these sums
};

// `Rows` steps, the inputs of the first at x, times Vectors vectors of a panel.
template <int Rows, int Vectors>
void sum_rows(const afx_convolution &in, const float *x, const float *panel, const Outputs &to) {
  Floats sums[Rows][Vectors] = {};
  const int64_t row = in.stride * in.inputs;
  for (int64_t tap = 0; tap < in.taps; tap++) {
    const float *from = x + tap * in.dilation * in.inputs;
    for (int64_t k = 0; k < in.inputs; k++, panel += PANEL) {
      Floats weights[Vectors];
      for (int v = 0; v < Vectors; v++) {
        weights[v] = load(panel + v * W);
        __builtin_prefetch(panel + AHEAD + v * W);
      }
      for (int r = 0; r < Rows; r++)
        for (int v = 0; v < Vectors; v++) sums[r][v] += from[r * row + k] * weights[v];
    }
  }
  for (int v = 0; v < Vectors; v++) {
    const int64_t output = to.first + v * W, left = to.outputs - output;
    if (left <= 0) return;
    const Floats bias = to.bias ? load(to.bias + output) : all(0);
    for (int r = 0; r < Rows; r++) {
      const int64_t at = r * to.outputs + output;
      Floats sum = sums[r][v] + bias;
      if (to.residual) sum += load_some(to.residual + at, left);
      store_some(to.out + at, left, sum);
    }
  }
}

using SumRows = void(const afx_convolution &, const float *, const float *, const Outputs &);

template <int Vectors, int... R>
SumRows *rows_of(int64_t rows, std::integer_sequence<int, R...>) {
  static constexpr SumRows *BY_ROWS[] = {sum_rows<R + 1, Vectors>...};
  return BY_ROWS[rows - 1];
}

// All outputs of a group for `steps` steps whose activated inputs begin at x.
void sum_steps(const afx_convolution &in, int64_t group_of_channels, const float *x, int64_t steps,
               const float *residual, float *out) {
  const int64_t padded = (in.outputs + PANEL - 1) / PANEL * PANEL;
  const float *weight = in.weight + group_of_channels * padded * in.taps * in.inputs;
  const float *bias = in.bias ? in.bias + group_of_channels * padded : nullptr;
  // Groups of nearly one size: a group of few steps is hardly faster than a full one.
  const int64_t groups = (steps + ROWS - 1) / ROWS, panel = in.taps * in.inputs * PANEL;
  constexpr auto SIZES = std::make_integer_sequence<int, ROWS>();
  for (int64_t n = 0; n < in.outputs; n += VECTORS * W) {
    const float *columns = weight + n / PANEL * panel + n % PANEL;
    for (int64_t group = 0; group < groups; group++) {
      const int64_t step = steps * group / groups, rows = steps * (group + 1) / groups - step;
      const int64_t at = step * in.outputs;
      const Outputs to = {bias, residual ? residual + at : nullptr, out + at, in.outputs, n};
      const auto sum = in.outputs - n > W ? rows_of<VECTORS>(rows, SIZES) : rows_of<1>(rows, SIZES);
      sum(in, x + step * in.stride * in.inputs, columns, to);
    }
  }
}

#define AFX_JOIN_OF(a, b) a##b
#define AFX_JOIN(a, b) AFX_JOIN_OF(a, b)

}  // namespace

void AFX_JOIN(afx_convolve_time_, AFX_LEVEL)(const afx_convolution &in, const afx_convolution *then,
                                             int64_t group, const TimeStream &s,
                                             Activation activation, float *workspace) {
  const int64_t tile = afx_time_tile(in, s.steps);
  float *middle = workspace + afx_tile_inputs(in, tile);
  for (int64_t first = 0; first < s.steps; first += tile) {
    const int64_t steps = s.steps - first < tile ? s.steps - first : tile;
    activate_rows(in, s, first, steps, activation, workspace);
    const int64_t at = first * (then ? then->outputs : in.outputs);
    const float *residual = s.residual ? s.residual + at : nullptr;
    if (!then) {
      sum_steps(in, group, workspace, steps, residual, s.out + at);
      continue;
    }
    sum_steps(in, group, workspace, steps, nullptr, middle);
    activate(middle, middle, steps * in.outputs, activation);
    sum_steps(*then, group, middle, steps, residual, s.out + at);
  }
}
