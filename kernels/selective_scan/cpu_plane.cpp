// The selective scan of a plane along its four routes, and the gated norm behind it, on one thread.
// Compiled once for each instruction level, as cpu_rows.cpp is.
//
// Nothing is laid out along a route: row routes read the plane in order, column routes keep
// neighbouring columns in lanes, so both read and write whole vectors of the plane as it lies. The
// step is made from its few factors on the spot, so its array is never written.

#include "cpu_level.h"
#include "norm.h"
#include "vector.h"

namespace {

constexpr int TILE = AFX_CPU_TILE;

// One route of one item: where its inputs lie.
struct Route {
  const afx_plane_inputs &in;
  const afx_plane_shape &shape;
  int64_t item, index;

  int64_t area() const { return shape.height * shape.width; }
  const float *plane(int64_t channel) const {
    return in.plane + (item * shape.channels + channel) * area();
  }
  const float *factor(int64_t k) const {  // the step's factors, then B, then C
    const int64_t count = shape.rank + 2 * shape.state;
    return in.projected + ((item * AFX_ROUTES + index) * count + k) * area();
  }
  const float *B(int64_t n) const { return factor(shape.rank + n); }
  const float *C(int64_t n) const { return factor(shape.rank + shape.state + n); }
  int64_t row(int64_t channel) const { return index * shape.channels + channel; }
  const float *weights(int64_t channel) const { return in.step_weight + row(channel) * shape.rank; }
  Floats bias(int64_t channel) const { return all(in.step_bias[row(channel)]); }
  Floats skip(int64_t channel) const { return all(in.D[row(channel)]); }
  Floats rate(int64_t channel, int64_t n) const {
    return all(in.A[row(channel) * shape.state + n] * LOG2_E);
  }
};

template <bool Reversed>
void row_tile(const Route &route, int64_t channel, int64_t start, float *state, float *out,
              bool first) {
  const int64_t length = route.area(), rank = route.shape.rank;
  const int64_t end = start + TILE < length ? start + TILE : length;
  const float *plane = route.plane(channel), *weights = route.weights(channel);
  const Floats bias = route.bias(channel), skip = route.skip(channel);

  // Past the end the step is 0: decay 1, input 0, so the state passes through.
  Floats step[TILE / W], gain[TILE / W], result[TILE / W];
  for (int64_t t = start, v = 0; t < end; t += W, v++) {
    Floats s = bias;
    for (int64_t k = 0; k < rank; k++)
      s += all(weights[k]) * load<Reversed>(route.factor(k), length, t);
    const Floats u = load<Reversed>(plane, length, t);
    step[v] = keep(softplus(s).value, end - t);
    gain[v] = step[v] * u;
    result[v] = first ? skip * u : skip * u + load<Reversed>(out, length, t);
  }
  for (int64_t n = 0; n < route.shape.state; n++) {
    const float *B = route.B(n), *C = route.C(n);
    const Floats rate = route.rate(channel, n);
    Floats carry = all(state[n]);
    for (int64_t t = start, v = 0; t < end; t += W, v++) {
      const Affine<Floats> steps = {exponential2(step[v] * rate),
                                    gain[v] * load<Reversed>(B, length, t)};
      result[v] += load<Reversed>(C, length, t) * recur<false>(steps, carry);
    }
    state[n] = carry[0];
  }
  for (int64_t t = start, v = 0; t < end; t += W, v++) store<Reversed>(out, length, t, result[v]);
}

template <bool Reversed>
void row_route(const Route &route, int64_t block, int64_t stop, float *out) {
  const int64_t tiles = (route.area() + TILE - 1) / TILE;
  float state[BLOCK][AFX_MAX_STATE] = {};
  for (int64_t tile = 0; tile < tiles; tile++)
    for (int64_t channel = block; channel < stop; channel++)
      row_tile<Reversed>(route, channel, tile * TILE, state[channel - block],
                         out + channel * route.area(), route.index == 0);
}

// W columns from `left` on, each one a lane. A column is an affine map of the state that enters it:
// its product of decays and its end from nothing. The lanes' maps are composed once, and what
// entered each column is added to all of it.
template <bool Reversed>
void column_group(const Route &route, int64_t channel, int64_t left, float *state, float *out) {
  const int64_t height = route.shape.height, width = route.shape.width, rank = route.shape.rank;
  const int64_t count = width - left < W ? width - left : W;
  const float *plane = route.plane(channel), *weights = route.weights(channel);
  const Floats bias = route.bias(channel), skip = route.skip(channel);
  Floats decays[AFX_MAX_HEIGHT], states[AFX_MAX_HEIGHT];
  for (int64_t n = 0; n < route.shape.state; n++) {
    const float *B = route.B(n), *C = route.C(n);
    const Floats rate = route.rate(channel, n);
    Affine<Floats> column = {all(1), all(0)};
    for (int64_t i = 0; i < height; i++) {
      const int64_t y = Reversed ? height - 1 - i : i, at = y * width + left;
      Floats s = bias;
      for (int64_t k = 0; k < rank; k++)
        s += all(weights[k]) * load_some(route.factor(k) + at, count);
      const Floats step = keep(softplus(s).value, count);
      const Floats input = step * load_some(plane + at, count) * load_some(B + at, count);
      column = compose(column, {exponential2(step * rate), input});
      decays[y] = column.a;
      states[y] = column.b;
    }
    const Floats before = all(state[n]);
    Floats carry = before;
    const Floats after = recur<Reversed>(column, carry);
    const Floats entering = shifted<Reversed, 1>(after, before, Lanes{});
    state[n] = carry[0];
    for (int64_t y = 0; y < height; y++) {
      const int64_t at = y * width + left;
      Floats result = load_some(out + at, count);
      if (n == 0) result += skip * load_some(plane + at, count);
      result += load_some(C + at, count) * (states[y] + decays[y] * entering);
      store_some(out + at, count, result);
    }
  }
}

template <bool Reversed>
void column_route(const Route &route, int64_t block, int64_t stop, float *out) {
  const int64_t groups = (route.shape.width + W - 1) / W;
  float state[BLOCK][AFX_MAX_STATE] = {};
  for (int64_t i = 0; i < groups; i++)
    for (int64_t channel = block; channel < stop; channel++)
      column_group<Reversed>(route, channel, (Reversed ? groups - 1 - i : i) * W,
                             state[channel - block], out + channel * route.area());
}

void scan_plane(const afx_plane_inputs &in, float *out, const afx_plane_shape &shape, int64_t item,
                int64_t block, int64_t stop) {
  out += item * shape.channels * shape.height * shape.width;
  row_route<false>({in, shape, item, 0}, block, stop, out);
  row_route<true>({in, shape, item, 2}, block, stop, out);
  column_route<false>({in, shape, item, 1}, block, stop, out);
  column_route<true>({in, shape, item, 3}, block, stop, out);
}

// W numbers of a row from `at` + Offset on, zero outside the row.
template <int Offset>
inline Floats neighbours(const float *row, int64_t at, int64_t width) {
  const int64_t from = at + Offset;
  if (__builtin_expect(from >= 0 && from + W <= width, 1)) return load(row + from);
  float lanes[W] = {};
  for (int64_t i = 0; i < W; i++)
    if (from + i >= 0 && from + i < width) lanes[i] = row[from + i];
  return load(lanes);
}

// silu of a 3 x 3 convolution of one channel, zeros around it.
void convolve(const float *plane, const float *weight, float bias, float *out, int64_t height,
              int64_t width) {
  for (int64_t y = 0; y < height; y++) {
    for (int64_t at = 0; at < width; at += W) {
      Floats sum = all(bias);
      for (int64_t i = 0; i < 3; i++) {
        if (y + i < 1 || y + i > height) continue;
        const float *row = plane + (y + i - 1) * width, *taps = weight + 3 * i;
        sum += taps[0] * neighbours<-1>(row, at, width);
        sum += taps[1] * neighbours<0>(row, at, width);
        sum += taps[2] * neighbours<1>(row, at, width);
      }
      store_some(out + y * width + at, width - at < W ? width - at : W, silu(sum));
    }
  }
}

// W places of [channels, places] at a time: statistics over the channels in two passes.
void norm_gate(const float *x, const float *gate, const float *weight, const float *bias,
               float epsilon, float *out, int64_t channels, int64_t places, int64_t first,
               int64_t last) {
  for (int64_t at = first; at < last; at += W) {
    const int64_t count = last - at < W ? last - at : W;
    Floats mean = all(0), square = all(0);
    for (int64_t c = 0; c < channels; c++) mean += load_some(x + c * places + at, count);
    mean /= (float)channels;
    for (int64_t c = 0; c < channels; c++) {
      const Floats centred = load_some(x + c * places + at, count) - mean;
      square += centred * centred;
    }
    const Floats scale = inverse_root(square / (float)channels + epsilon);
    for (int64_t c = 0; c < channels; c++) {
      const Floats centred = load_some(x + c * places + at, count) - mean;
      const Floats normed = centred * scale * weight[c] + bias[c];
      store_some(out + c * places + at, count,
                 normed * silu(load_some(gate + c * places + at, count)));
    }
  }
}

// Few channels to few, place by place: lanes are places, and a product of matrices would be mostly
// overhead. `places` of [inputs, stride] from `x` on.
template <bool Gelu>
void project_places(const float *x, const float *weight, const float *bias, float *out,
                    int64_t inputs, int64_t outputs, int64_t stride, int64_t places) {
  for (int64_t at = 0; at < places; at += W) {
    const int64_t count = places - at < W ? places - at : W;
    for (int64_t o = 0; o < outputs; o++) {
      Floats sum = all(bias ? bias[o] : 0.0f);
      for (int64_t k = 0; k < inputs; k++)
        sum += weight[o * inputs + k] * load_some(x + k * stride + at, count);
      store_some(out + o * stride + at, count, Gelu ? gelu(sum) : sum);
    }
  }
}

void project(const float *x, const float *weight, const float *bias, bool with_gelu, float *out,
             int64_t inputs, int64_t outputs, int64_t stride, int64_t places) {
  (with_gelu ? project_places<true> : project_places<false>)(x, weight, bias, out, inputs, outputs,
                                                             stride, places);
}

#define AFX_JOIN_OF(a, b) a##b
#define AFX_JOIN(a, b) AFX_JOIN_OF(a, b)

}  // namespace

const CpuPlane AFX_JOIN(afx_plane_, AFX_LEVEL) = {scan_plane, convolve, norm_gate, norm, project};
