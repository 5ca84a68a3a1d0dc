// Backward: one block for a run of rows of one group, or for a part of its length where rows are
// few and long. It walks tiles from the last to the first, and in each tile its rows, so that the
// gradients of B and C are summed by one owner in one order: no atomics, and the same bits on every
// run. States are recomputed from checkpoints.

#include "device.cuh"

namespace {

struct Sums {
  float *A, *D,
      *bias;      // of parts of rows: [batch, parts, channels, state], [batch, parts, channels]
  float *suffix;  // [batch, parts, channels, state]: what later tiles send back, decay included
  Affine<float> *maps;  // [batch, parts, channels, state]: of the suffix, over a whole part
  float *B, *C;         // [batch, groups, splits, state, length]
  int64_t splits, parts;
};

// The map of each part but the first, from the suffix that enters it at its end.
template <class T, int Threads, int Items>
__global__ void __launch_bounds__(Threads, LEAST_THREADS / Threads)
    compose_suffixes(afx_scan_inputs in, const T *dout, Sums sums, afx_scan_shape shape) {
  using Tile = Block<Threads, Items>;
  __shared__ typename Tile::Shared shared;
  Tile block{shared};
  const int64_t row = blockIdx.x / (sums.parts - 1), number = blockIdx.x % (sums.parts - 1) + 1;
  const int64_t item = row / shape.channels, channel = row % shape.channels;
  const int64_t group = channel / (shape.channels / shape.groups);
  const int64_t plane = (item * shape.groups + group) * shape.state;
  const Part part((shape.length + Tile::TILE - 1) / Tile::TILE, sums.parts, number);
  const bool reversed = group >= shape.groups - shape.reversed_groups;
  Affine<float> *maps =
      sums.maps + ((item * sums.parts + number) * shape.channels + channel) * shape.state;

  for (int64_t tile = part.end - 1; tile >= part.first; tile--) {
    const typename Tile::Row where = {shape.length, tile * Tile::TILE, reversed};
    float o[Items], step[Items];
    block.load(dout + row * shape.length, where, o);
    load_steps<T>(block, in, shape, row, where, step);
    for (int64_t n = 0; n < shape.state; n++) {
      const float A = in.A[channel * shape.state + n];
      float C[Items];
      block.load(static_cast<const T *>(in.C) + (plane + n) * shape.length, where, C);
      Affine<float> all = {1.0f, 0.0f};
#pragma unroll
      for (int i = Items - 1; i >= 0; i--) {
        const float decay = exp2f(step[i] * (A * LOG2_E));
        all = compose(all, Affine<float>{decay, decay * C[i] * o[i]});
      }
      all = compose(block.template before<true>(all), all);
      if (threadIdx.x == 0) maps[n] = tile == part.end - 1 ? all : compose(maps[n], all);
    }
  }
}

// The suffix that enters a part at its end: 0 at the end of time, sent through the later parts.
__device__ float entering(const Sums &sums, const afx_scan_shape &shape, int64_t item, int64_t part,
                          int64_t channel, int64_t n) {
  float suffix = 0.0f;
  for (int64_t later = sums.parts - 1; later > part; later--) {
    const int64_t place = (item * sums.parts + later) * shape.channels + channel;
    suffix = apply(sums.maps[place * shape.state + n], suffix);
  }
  return suffix;
}

template <class T, int Threads, int Items>
__global__ void __launch_bounds__(Threads, LEAST_THREADS / Threads)
    backward_rows(afx_scan_inputs in, const T *dout, const float *checkpoints,
                  afx_scan_gradients to, Sums sums, afx_scan_shape shape) {
  using Tile = Block<Threads, Items>;
  __shared__ typename Tile::Shared shared;
  Tile block{shared};

  const int64_t rows = shape.channels / shape.groups;
  const int64_t number = blockIdx.x % sums.parts, owner = blockIdx.x / sums.parts;
  const int64_t split = owner % sums.splits, pair = owner / sums.splits;
  const int64_t item = pair / shape.groups, group = pair % shape.groups;
  const int64_t first_row = group * rows + rows * split / sums.splits;
  const int64_t last_row = group * rows + rows * (split + 1) / sums.splits;
  const int64_t tiles = (shape.length + Tile::TILE - 1) / Tile::TILE;
  const Part part(tiles, sums.parts, number);
  const bool reversed = group >= shape.groups - shape.reversed_groups;

  for (int64_t tile = part.end - 1; tile >= part.first; tile--) {
    const typename Tile::Row where = {shape.length, tile * Tile::TILE, reversed};
    const bool last = tile == part.end - 1;
    for (int64_t channel = first_row; channel < last_row; channel++) {
      const int64_t row = item * shape.channels + channel;
      const int64_t own = (item * sums.parts + number) * shape.channels + channel;
      const float skip = in.D ? in.D[channel] : 0.0f;
      float u[Items], o[Items], step[Items], to_gain[Items], to_step[Items];
      float to_skip = 0.0f;
      block.load(static_cast<const T *>(in.u) + row * shape.length, where, u);
      block.load(dout + row * shape.length, where, o);
      load_steps<T>(block, in, shape, row, where, step);
#pragma unroll
      for (int i = 0; i < Items; i++) {
        to_gain[i] = to_step[i] = 0.0f;
        to_skip += o[i] * u[i];
      }
      for (int64_t n = 0; n < shape.state; n++) {
        const int64_t shared_row = (pair * shape.state + n) * shape.length;
        const int64_t own_row = (owner * shape.state + n) * shape.length;
        const float A = in.A[channel * shape.state + n];
        float *suffix = sums.suffix + own * shape.state + n;
        float B[Items], C[Items], share[Items];
        block.load(static_cast<const T *>(in.B) + shared_row, where, B);
        block.load(static_cast<const T *>(in.C) + shared_row, where, C);

        // Forward again, keeping the state before each step.
        float decay[Items], previous[Items];
        Affine<float> all = {1.0f, 0.0f};
#pragma unroll
        for (int i = 0; i < Items; i++) {
          decay[i] = exp2f(step[i] * (A * LOG2_E));
          all = compose(all, Affine<float>{decay[i], step[i] * u[i] * B[i]});
        }
        float h = apply(block.template before<false>(all),
                        checkpoints[(row * tiles + tile) * shape.state + n]);
#pragma unroll
        for (int i = 0; i < Items; i++) {
          previous[i] = h;
          h = decay[i] * h + step[i] * u[i] * B[i];
          share[i] = o[i] * h;
        }
        block.store(sums.C + own_row, where, share, channel != first_row);

        // g = C o + (the next decay) (the next g); past the tile the decay is in the suffix.
        shared.edges[threadIdx.x] = decay[0];
        if (threadIdx.x == 0) {
          shared.edges[Threads] = 1.0f;
          shared.carry = last ? entering(sums, shape, item, number, channel, n) : *suffix;
        }
        __syncthreads();
        const float next = shared.edges[threadIdx.x + 1], carry = shared.carry;
        all = {1.0f, 0.0f};
#pragma unroll
        for (int i = Items - 1; i >= 0; i--)
          all = compose(all, Affine<float>{i + 1 < Items ? decay[i + 1] : next, C[i] * o[i]});
        float g = apply(block.template before<true>(all), carry);
        float to_A = 0.0f;
#pragma unroll
        for (int i = Items - 1; i >= 0; i--) {
          g = (i + 1 < Items ? decay[i + 1] : next) * g + C[i] * o[i];
          const float q = g * decay[i] * previous[i];
          to_gain[i] += g * B[i];
          to_step[i] += A * q;
          to_A += step[i] * q;
          share[i] = g * step[i] * u[i];
        }
        block.store(sums.B + own_row, where, share, channel != first_row);
        to_A = block.sum(to_A);
        if (threadIdx.x == 0) {
          *suffix = decay[0] * g;
          float &total = sums.A[own * shape.state + n];
          total = last ? to_A : total + to_A;
        }
      }
      float to_bias = 0.0f;
#pragma unroll
      for (int i = 0; i < Items; i++) {
        // The slope of softplus, 1 / (1 + e^-s), is 1 - e^-step.
        const float slope = in.softplus ? -expm1f(-step[i]) : 1.0f;
        to_step[i] = (u[i] * to_gain[i] + to_step[i]) * slope;
        to_gain[i] = step[i] * to_gain[i] + skip * o[i];
        to_bias += to_step[i];
      }
      block.store(static_cast<T *>(to.u) + row * shape.length, where, to_gain);
      block.store(static_cast<T *>(to.delta) + row * shape.length, where, to_step);
      to_skip = block.sum(to_skip);
      to_bias = block.sum(to_bias);
      if (threadIdx.x == 0) {
        sums.D[own] = last ? to_skip : sums.D[own] + to_skip;
        sums.bias[own] = last ? to_bias : sums.bias[own] + to_bias;
      }
    }
  }
}

// to[outer, i] = sum over part of from[outer, part, i], in order.
__global__ void add_parts(float *to, const float *from, int64_t outer, int64_t parts,
                          int64_t count) {
  for (int64_t place = blockIdx.x * int64_t(blockDim.x) + threadIdx.x; place < outer * count;
       place += int64_t(gridDim.x) * blockDim.x) {
    const float *own = from + place / count * parts * count + place % count;
    float total = 0.0f;
    for (int64_t part = 0; part < parts; part++) total += own[part * count];
    to[place] = total;
  }
}

void enqueue_parts(float *to, const float *from, int64_t outer, int64_t parts, int64_t count,
                   cudaStream_t stream) {
  const int64_t blocks = (outer * count + 255) / 256;
  add_parts<<<static_cast<unsigned>(blocks < 4096 ? blocks : 4096), 256, 0, stream>>>(
      to, from, outer, parts, count);
}

struct Backward {
  const afx_scan_inputs &in;
  const void *dout;
  const float *checkpoints;
  const afx_scan_gradients &to;
  const Sums &sums;
  const afx_scan_shape &shape;
  cudaStream_t stream;

  template <class T, int Threads, int Items>
  int run() const {
    const int64_t rows = shape.batch * shape.channels, parts = sums.parts;
    const T *gradient = static_cast<const T *>(dout);
    if (parts > 1)
      compose_suffixes<T, Threads, Items>
          <<<unsigned(rows * (parts - 1)), Threads, 0, stream>>>(in, gradient, sums, shape);
    const int64_t blocks = shape.batch * shape.groups * sums.splits * parts;
    backward_rows<T, Threads, Items><<<static_cast<unsigned>(blocks), Threads, 0, stream>>>(
        in, gradient, checkpoints, to, sums, shape);
    return cudaGetLastError();
  }
};

constexpr int64_t MOST_PARTIAL = int64_t(1) << 27;  // floats for the parts of B, and as many of C

// As many runs of rows as there should be blocks, as long as their shares of B and C fit; the shape
// alone decides, so results repeat.
int64_t splits_of(const afx_scan_shape &shape) {
  const int64_t rows = shape.channels / shape.groups, pairs = shape.batch * shape.groups;
  const int64_t wanted = at_most((WANTED_BLOCKS + pairs - 1) / pairs, rows);
  const int64_t fitting = MOST_PARTIAL / (pairs * shape.state * shape.length);
  return fitting < 1 ? 1 : at_most(wanted, fitting);
}

int64_t suffix_parts(const afx_scan_shape &shape) {
  return parts_of(shape, shape.batch * shape.groups * splits_of(shape));
}

int64_t shared_floats(const afx_scan_shape &shape) {
  return shape.batch * shape.groups * splits_of(shape) * shape.state * shape.length;
}

}  // namespace

int64_t afx_selective_scan_workspace_cuda(afx_scan_shape shape) {
  const int64_t rows = shape.batch * shape.channels * suffix_parts(shape);
  const int64_t partial = splits_of(shape) > 1 ? 2 * shared_floats(shape) : 0;
  return rows * (4 * shape.state + 2) + partial;
}

int afx_selective_scan_backward_cuda(const afx_scan_inputs *in, const void *dout,
                                     const float *checkpoints, const afx_scan_gradients *gradients,
                                     float *workspace, afx_scan_shape shape, void *stream) {
  if (const int status = check(shape)) return status;
  const cudaStream_t own = static_cast<cudaStream_t>(stream);
  const int64_t splits = splits_of(shape), parts = suffix_parts(shape);
  const int64_t rows = shape.batch * shape.channels * parts, states = rows * shape.state;
  float *maps = workspace, *A = maps + 2 * states, *suffix = A + states, *D = suffix + states;
  float *bias = D + rows, *partial = bias + rows;
  const bool cut = splits > 1;
  const Sums sums = {A,
                     D,
                     bias,
                     suffix,
                     reinterpret_cast<Affine<float> *>(maps),
                     cut ? partial : gradients->B,
                     cut ? partial + shared_floats(shape) : gradients->C,
                     splits,
                     parts};
  const Backward launch = {*in, dout, checkpoints, *gradients, sums, shape, own};
  if (const int status = with_type(in->type, shape.length, launch)) return status;

  const int64_t pairs = shape.batch * shape.groups, plane = shape.state * shape.length;
  if (cut) {
    enqueue_parts(gradients->B, sums.B, pairs, splits, plane, own);
    enqueue_parts(gradients->C, sums.C, pairs, splits, plane, own);
  }
  enqueue_parts(gradients->A, A, 1, shape.batch * parts, shape.channels * shape.state, own);
  if (gradients->D) enqueue_parts(gradients->D, D, 1, shape.batch * parts, shape.channels, own);
  if (gradients->delta_bias)
    enqueue_parts(gradients->delta_bias, bias, 1, shape.batch * parts, shape.channels, own);
  return cudaGetLastError();
}
