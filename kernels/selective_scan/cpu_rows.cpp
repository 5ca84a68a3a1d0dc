// The selective scan of rows on one thread. Compiled once for each instruction level:
// AFX_WIDTH is the number of floats side by side, AFX_LEVEL the name of the table it fills.
//
// Lanes are neighbouring steps of one row: the recurrence inside a vector is a scan over lanes
// (log2 W composed shifts), and one number is carried from vector to vector. So few long rows are
// as fast as many short ones, every access to memory is contiguous, and nothing is transposed.

#include "cpu_level.h"
#include "vector.h"

namespace {

constexpr int TILE = AFX_CPU_TILE;
constexpr int VECTORS = TILE / W;
static_assert(TILE % W == 0, "a tile is whole vectors");

struct Scan {
  const afx_scan_inputs &in;
  const afx_scan_shape &shape;
  RowRange rows;

  int64_t tiles() const { return (shape.length + TILE - 1) / TILE; }
  int64_t row(int64_t channel) const { return rows.item * shape.channels + channel; }
  int64_t shared(int64_t n) const {  // the row of B and C
    return (rows.item * shape.groups + rows.group) * shape.state + n;
  }
  const float *of(const void *array, int64_t index) const {
    return static_cast<const float *>(array) + index * shape.length;
  }
  float bias(int64_t channel) const { return in.delta_bias ? in.delta_bias[channel] : 0; }
  float skip(int64_t channel) const { return in.D ? in.D[channel] : 0; }
};

template <bool Reversed>
void forward_tile(const Scan &scan, int64_t channel, int64_t start, float *state, float *out) {
  const int64_t length = scan.shape.length;
  const int64_t end = start + TILE < length ? start + TILE : length;
  const float *u_row = scan.of(scan.in.u, scan.row(channel));
  const float *delta_row = scan.of(scan.in.delta, scan.row(channel));
  const Floats bias = all(scan.bias(channel)), skip = all(scan.skip(channel));

  // Past the end the step is 0: decay 1, input 0, so the state passes through.
  Floats step[VECTORS], gain[VECTORS], result[VECTORS];
  for (int64_t t = start, v = 0; t < end; t += W, v++) {
    const Floats u = load<Reversed>(u_row, length, t);
    const Floats s = load<Reversed>(delta_row, length, t) + bias;
    step[v] = keep(scan.in.softplus ? softplus(s).value : s, end - t);
    gain[v] = step[v] * u;
    result[v] = skip * u;
  }
  for (int64_t n = 0; n < scan.shape.state; n++) {
    const float *B = scan.of(scan.in.B, scan.shared(n)), *C = scan.of(scan.in.C, scan.shared(n));
    const Floats rate = all(scan.in.A[channel * scan.shape.state + n] * LOG2_E);
    Floats carry = all(state[n]);
    for (int64_t t = start, v = 0; t < end; t += W, v++) {
      const Affine<Floats> steps = {exponential2(step[v] * rate),
                                    gain[v] * load<Reversed>(B, length, t)};
      const Floats h = recur<false>(steps, carry);
      result[v] += load<Reversed>(C, length, t) * h;
    }
    state[n] = carry[0];
  }
  for (int64_t t = start, v = 0; t < end; t += W, v++) store<Reversed>(out, length, t, result[v]);
}

template <bool Reversed>
void forward_rows(const Scan &scan, float *out, float *checkpoints) {
  const int64_t states = scan.shape.state, tiles = scan.tiles();
  for (int64_t block = scan.rows.first; block < scan.rows.last; block += BLOCK) {
    const int64_t stop = block + BLOCK < scan.rows.last ? block + BLOCK : scan.rows.last;
    float state[BLOCK][AFX_MAX_STATE] = {};
    for (int64_t tile = 0; tile < tiles; tile++) {
      for (int64_t channel = block; channel < stop; channel++) {
        float *own = state[channel - block];
        const int64_t row = scan.row(channel);
        if (checkpoints)
          memcpy(checkpoints + (row * tiles + tile) * states, own, states * sizeof(float));
        forward_tile<Reversed>(scan, channel, tile * TILE, own, out + row * scan.shape.length);
      }
    }
  }
}

// One row's sums over time, in double because they have up to a million terms.
struct RowSums {
  double A[AFX_MAX_STATE], D, delta_bias;
};

template <bool Reversed>
void add(float *row, int64_t length, int64_t t, Floats v, bool first) {
  store<Reversed>(row, length, t, first ? v : v + load<Reversed>(row, length, t));
}

// suffix[n]: what the steps after this tile send back to its last state, decay included.
template <bool Reversed>
void backward_tile(const Scan &scan, int64_t channel, int64_t start, const float *dout,
                   const float *before, float *suffix, const afx_scan_gradients &to,
                   const PartialSums &partial, bool first, RowSums &sums) {
  const int64_t length = scan.shape.length, row = scan.row(channel);
  const int64_t end = start + TILE < length ? start + TILE : length;
  const int64_t count = (end - start + W - 1) / W;
  const float *u_row = scan.of(scan.in.u, row), *delta_row = scan.of(scan.in.delta, row);
  const float *dout_row = scan.of(dout, row);
  const Floats bias = all(scan.bias(channel)), skip = all(scan.skip(channel));

  Floats u[VECTORS], o[VECTORS], step[VECTORS], slope[VECTORS];
  Floats to_gain[VECTORS], to_step[VECTORS];
  Floats to_skip = all(0), to_bias = all(0);
  for (int64_t t = start, v = 0; t < end; t += W, v++) {
    u[v] = load<Reversed>(u_row, length, t);
    o[v] = load<Reversed>(dout_row, length, t);
    const Floats s = load<Reversed>(delta_row, length, t) + bias;
    const Softplus soft = softplus(s);
    step[v] = keep(scan.in.softplus ? soft.value : s, end - t);
    slope[v] = keep(scan.in.softplus ? slope_of(s, soft) : all(1), end - t);
    to_gain[v] = to_step[v] = all(0);
    to_skip += o[v] * u[v];
  }
  for (int64_t n = 0; n < scan.shape.state; n++) {
    const float *B = scan.of(scan.in.B, scan.shared(n)), *C = scan.of(scan.in.C, scan.shared(n));
    float *to_B = partial.B + n * length, *to_C = partial.C + n * length;
    const Floats A = all(scan.in.A[channel * scan.shape.state + n]), rate = A * LOG2_E;

    // Once more forward, to have every state; one place on, so that [t] is the state before t.
    float decay[TILE + 1], state[TILE + 1];
    Floats carry = all(before[n]);
    state[0] = before[n];
    for (int64_t v = 0, t = start; v < count; v++, t += W) {
      const Floats a = exponential2(step[v] * rate);
      const Floats h = recur<false>({a, step[v] * u[v] * load<Reversed>(B, length, t)}, carry);
      store(decay + v * W, a);
      store(state + v * W + 1, h);
      add<Reversed>(to_C, length, t, o[v] * h, first);
    }
    decay[count * W] = 1;

    // And back: g = C o + (the next decay) (the next g). Past the end o is 0 and the decay 1.
    carry = all(suffix[n]);
    Floats to_A = all(0);
    for (int64_t v = count - 1, t = start + v * W; v >= 0; v--, t -= W) {
      const Floats own = load<Reversed>(B, length, t);
      const Floats g =
          recur<true>({load(decay + v * W + 1), load<Reversed>(C, length, t) * o[v]}, carry);
      const Floats q = g * load(decay + v * W) * load(state + v * W);
      to_gain[v] += g * own;
      to_step[v] += A * q;
      to_A += step[v] * q;
      add<Reversed>(to_B, length, t, g * step[v] * u[v], first);
    }
    suffix[n] = decay[0] * carry[0];
    sums.A[n] += sum(to_A);
  }
  float *to_u = static_cast<float *>(to.u) + row * length;
  float *to_delta = static_cast<float *>(to.delta) + row * length;
  for (int64_t t = start, v = 0; t < end; t += W, v++) {
    const Floats through = (u[v] * to_gain[v] + to_step[v]) * slope[v];
    to_bias += through;
    store<Reversed>(to_u, length, t, step[v] * to_gain[v] + skip * o[v]);
    store<Reversed>(to_delta, length, t, through);
  }
  sums.D += sum(to_skip);
  sums.delta_bias += sum(to_bias);
}

template <bool Reversed>
void backward_rows(const Scan &scan, const float *dout, const float *checkpoints,
                   const afx_scan_gradients &to, const PartialSums &partial) {
  const int64_t states = scan.shape.state, tiles = scan.tiles();
  for (int64_t block = scan.rows.first; block < scan.rows.last; block += BLOCK) {
    const int64_t stop = block + BLOCK < scan.rows.last ? block + BLOCK : scan.rows.last;
    float suffix[BLOCK][AFX_MAX_STATE] = {};
    RowSums sums[BLOCK] = {};
    for (int64_t tile = tiles - 1; tile >= 0; tile--) {
      for (int64_t channel = block; channel < stop; channel++) {
        const float *before = checkpoints + (scan.row(channel) * tiles + tile) * states;
        backward_tile<Reversed>(scan, channel, tile * TILE, dout, before, suffix[channel - block],
                                to, partial, channel == scan.rows.first, sums[channel - block]);
      }
    }
    for (int64_t channel = block; channel < stop; channel++) {
      const RowSums &own = sums[channel - block];
      for (int64_t n = 0; n < states; n++) partial.A[channel * states + n] = (float)own.A[n];
      partial.D[channel] = (float)own.D;
      partial.delta_bias[channel] = (float)own.delta_bias;
    }
  }
}

bool runs_from_end(const Scan &scan) {
  return scan.rows.group >= scan.shape.groups - scan.shape.reversed_groups;
}

void forward(const afx_scan_inputs &in, float *out, float *checkpoints, const afx_scan_shape &shape,
             RowRange rows) {
  const Scan scan = {in, shape, rows};
  (runs_from_end(scan) ? forward_rows<true> : forward_rows<false>)(scan, out, checkpoints);
}

void backward(const afx_scan_inputs &in, const float *dout, const float *checkpoints,
              const afx_scan_gradients &to, const PartialSums &partial, const afx_scan_shape &shape,
              RowRange rows) {
  const Scan scan = {in, shape, rows};
  (runs_from_end(scan) ? backward_rows<true> : backward_rows<false>)(scan, dout, checkpoints, to,
                                                                     partial);
}

#define AFX_TEXT_OF(name) #name
#define AFX_TEXT(name) AFX_TEXT_OF(name)
#define AFX_JOIN_OF(a, b) a##b
#define AFX_JOIN(a, b) AFX_JOIN_OF(a, b)

}  // namespace

const CpuLevel AFX_JOIN(afx_level_, AFX_LEVEL) = {AFX_TEXT(AFX_LEVEL), forward, backward};
