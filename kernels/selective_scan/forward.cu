// Forward: one block a row, which walks the row tile by tile with the state carried in shared
// memory. Reads u and delta once and writes once; nothing of size rows x state x length exists.

#include "device.cuh"

namespace {

template <class T, int Threads, int Items>
__global__ void __launch_bounds__(Threads)
    forward_row(afx_scan_inputs in, T *out, float *checkpoints, afx_scan_shape shape) {
  using Tile = Block<Threads, Items>;
  __shared__ typename Tile::Shared shared;
  __shared__ float state[AFX_MAX_STATE];
  Tile block{shared};

  const int64_t row = blockIdx.x, item = row / shape.channels, channel = row % shape.channels;
  const int64_t group = channel / (shape.channels / shape.groups);
  const int64_t plane = (item * shape.groups + group) * shape.state;
  const T *u_row = static_cast<const T *>(in.u) + row * shape.length;
  const T *delta_row = static_cast<const T *>(in.delta) + row * shape.length;
  const float bias = in.delta_bias ? in.delta_bias[channel] : 0.0f;
  const float skip = in.D ? in.D[channel] : 0.0f;
  const int64_t tiles = (shape.length + Tile::TILE - 1) / Tile::TILE;
  const bool reversed = group >= shape.groups - shape.reversed_groups;

  for (int n = threadIdx.x; n < shape.state; n += Threads) state[n] = 0.0f;

  for (int64_t tile = 0; tile < tiles; tile++) {
    const typename Tile::Row where = {shape.length, tile * Tile::TILE, reversed};
    float gain[Items], step[Items], result[Items];
    block.load(u_row, where, gain);
    block.load(delta_row, where, step);
#pragma unroll
    for (int i = 0; i < Items; i++) {
      const float s = step[i] + bias;
      // Past the end the step is 0, so decay 1 and input 0 leave the state alone.
      step[i] = !where.holds(Tile::first() + i) ? 0.0f : in.softplus ? softplus(s).value : s;
      result[i] = skip * gain[i];
      gain[i] *= step[i];
    }
    for (int64_t n = 0; n < shape.state; n++) {
      const float A = in.A[channel * shape.state + n];
      const T *B_row = static_cast<const T *>(in.B) + (plane + n) * shape.length;
      const T *C_row = static_cast<const T *>(in.C) + (plane + n) * shape.length;
      float B[Items], C[Items];
      block.load(B_row, where, B);
      block.load(C_row, where, C);
      Affine<float> steps[Items], all = {1.0f, 0.0f};
#pragma unroll
      for (int i = 0; i < Items; i++) {
        steps[i] = {exp2f(step[i] * (A * LOG2_E)), gain[i] * B[i]};
        all = compose(all, steps[i]);
      }
      const Affine<float> earlier = block.template before<false>(all);
      const float start = state[n];  // written before a barrier inside load
      if (checkpoints && threadIdx.x == 0)
        checkpoints[(row * tiles + tile) * shape.state + n] = start;
      float h = apply(earlier, start);
#pragma unroll
      for (int i = 0; i < Items; i++) {
        h = apply(steps[i], h);
        result[i] += C[i] * h;
      }
      __syncthreads();  // everyone has read the state
      if (threadIdx.x == Threads - 1) state[n] = h;
    }
    block.store(out + row * shape.length, where, result);
  }
}

struct Forward {
  const afx_scan_inputs &in;
  void *out;
  float *checkpoints;
  const afx_scan_shape &shape;
  cudaStream_t stream;

  template <class T, int Threads, int Items>
  int run() const {
    const unsigned blocks = static_cast<unsigned>(shape.batch * shape.channels);
    forward_row<T, Threads, Items>
        <<<blocks, Threads, 0, stream>>>(in, static_cast<T *>(out), checkpoints, shape);
    return cudaGetLastError();
  }
};

}  // namespace

int afx_selective_scan_forward_cuda(const afx_scan_inputs *in, void *out, float *checkpoints,
                                    afx_scan_shape shape, void *stream) {
  if (const int status = check(shape)) return status;
  const Forward launch = {*in, out, checkpoints, shape, static_cast<cudaStream_t>(stream)};
  return with_type(in->type, shape.length, launch);
}

const char *afx_message(int status) {
  if (status == AFX_BAD_SHAPE) return "shape out of range";
  if (status == AFX_BAD_TYPE) return "type not taken";
  return cudaGetErrorString(static_cast<cudaError_t>(status));
}

int afx_abi_version(void) { return AFX_ABI_VERSION; }

int64_t afx_sizeof(const char *) { return -1; }  // the CPU library answers for both
