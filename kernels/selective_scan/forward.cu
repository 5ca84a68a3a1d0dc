// Forward: a block walks a row (short rows: several; few long rows: a part of one) tile by tile
// with the state carried in shared memory. Nothing of size rows x state x length exists.

#include "device.cuh"

namespace {

// A row, or a part of one, that the threads of one y walk.
template <class Tile>
struct Walk {
  int64_t row, channel, plane, tiles;
  Part part;
  bool reversed;

  // `count` rows in all; threads past the last one walk it too, and write the same bits.
  __device__ Walk(const afx_scan_shape &shape, int64_t count, int64_t parts, int64_t number)
      : row(at_most(number / parts, count - 1)),
        channel(row % shape.channels),
        tiles((shape.length + Tile::TILE - 1) / Tile::TILE),
        part(tiles, parts, number % parts) {
    const int64_t group = channel / (shape.channels / shape.groups);
    plane = (row / shape.channels * shape.groups + group) * shape.state;
    reversed = group >= shape.groups - shape.reversed_groups;
  }

  __device__ typename Tile::Row at(const afx_scan_shape &shape, int64_t tile) const {
    return {shape.length, tile * Tile::TILE, reversed};
  }
};

// The steps of a tile, u times each, and what skips the scan.
template <class T, class Tile, int Items>
__device__ void load_inputs(Tile &block, const afx_scan_inputs &in, const afx_scan_shape &shape,
                            const Walk<Tile> &walk, const typename Tile::Row &where,
                            float (&step)[Items], float (&gain)[Items], float (&result)[Items]) {
  const float skip = in.D ? in.D[walk.channel] : 0.0f;
  block.load(static_cast<const T *>(in.u) + walk.row * shape.length, where, gain);
  load_steps<T>(block, in, shape, walk.row, where, step);
#pragma unroll
  for (int i = 0; i < Items; i++) {
    result[i] = skip * gain[i];
    gain[i] *= step[i];
  }
}

struct State {
  float values[AFX_MAX_STATE];
};

// The map of each part but the last: maps[row, part, n].
template <class T, int Threads, int Items>
__global__ void __launch_bounds__(Threads, LEAST_THREADS / Threads)
    compose_parts(afx_scan_inputs in, Affine<float> *maps, int64_t parts, afx_scan_shape shape) {
  using Tile = Block<Threads, Items>;
  __shared__ typename Tile::Shared shared;
  Tile block{shared};
  const int64_t row = blockIdx.x / (parts - 1), part = blockIdx.x % (parts - 1);
  const Walk<Tile> walk(shape, shape.batch * shape.channels, parts, row * parts + part);

  for (int64_t tile = walk.part.first; tile < walk.part.end; tile++) {
    const typename Tile::Row where = walk.at(shape, tile);
    float gain[Items], step[Items], unused[Items];
    load_inputs<T>(block, in, shape, walk, where, step, gain, unused);
    for (int64_t n = 0; n < shape.state; n++) {
      const float A = in.A[walk.channel * shape.state + n];
      float B[Items];
      block.load(static_cast<const T *>(in.B) + (walk.plane + n) * shape.length, where, B);
      Affine<float> all = {1.0f, 0.0f};
#pragma unroll
      for (int i = 0; i < Items; i++)
        all = compose(all, Affine<float>{exp2f(step[i] * (A * LOG2_E)), gain[i] * B[i]});
      all = compose(block.template before<false>(all), all);
      if (threadIdx.x != Threads - 1) continue;  // who alone keeps the map
      Affine<float> &map = maps[(walk.row * parts + part) * shape.state + n];
      map = tile == walk.part.first ? all : compose(map, all);
    }
  }
}

template <class T, int Threads, int Items>
__global__ void __launch_bounds__(BLOCK_THREADS, LEAST_THREADS / BLOCK_THREADS)
    forward_rows(afx_scan_inputs in, T *out, float *checkpoints, const Affine<float> *maps,
                 int64_t parts, afx_scan_shape shape) {
  using Tile = Block<Threads, Items>;
  constexpr int Rows = BLOCK_THREADS / Threads;
  __shared__ typename Tile::Shared shared[Rows];
  __shared__ State states[Rows];
  Tile block{shared[threadIdx.y]};
  float *state = states[threadIdx.y].values;
  const int64_t number = int64_t(blockIdx.x) * Rows + threadIdx.y;
  const Walk<Tile> walk(shape, shape.batch * shape.channels, parts, number);

  for (int n = threadIdx.x; n < shape.state; n += Threads) {
    state[n] = 0.0f;
    for (int64_t part = 0; part < number % parts; part++)
      state[n] = apply(maps[(walk.row * parts + part) * shape.state + n], state[n]);
  }

  for (int64_t tile = walk.part.first; tile < walk.part.end; tile++) {
    const typename Tile::Row where = walk.at(shape, tile);
    float gain[Items], step[Items], result[Items];
    load_inputs<T>(block, in, shape, walk, where, step, gain, result);
    for (int64_t n = 0; n < shape.state; n++) {
      const float A = in.A[walk.channel * shape.state + n];
      const int64_t shared_row = (walk.plane + n) * shape.length;
      float B[Items], C[Items];
      block.load(static_cast<const T *>(in.B) + shared_row, where, B);
      block.load(static_cast<const T *>(in.C) + shared_row, where, C);
      Affine<float> steps[Items], all = {1.0f, 0.0f};
#pragma unroll
      for (int i = 0; i < Items; i++) {
        steps[i] = {exp2f(step[i] * (A * LOG2_E)), gain[i] * B[i]};
        all = compose(all, steps[i]);
      }
      const Affine<float> earlier = block.template before<false>(all);
      const float start = state[n];  // written before a barrier inside load
      if (checkpoints && threadIdx.x == 0)
        checkpoints[(walk.row * walk.tiles + tile) * shape.state + n] = start;
      float h = apply(earlier, start);
#pragma unroll
      for (int i = 0; i < Items; i++) {
        h = apply(steps[i], h);
        result[i] += C[i] * h;
      }
      __syncthreads();  // everyone has read the state
      if (threadIdx.x == Threads - 1) state[n] = h;
    }
    block.store(out + walk.row * shape.length, where, result);
  }
}

struct Forward {
  const afx_scan_inputs &in;
  void *out;
  float *checkpoints;
  Affine<float> *maps;
  const afx_scan_shape &shape;
  cudaStream_t stream;

  template <class T, int Threads, int Items>
  int run() const {
    // Short rows share a block: a multiprocessor holds few blocks, but many threads.
    constexpr int Rows = BLOCK_THREADS / Threads;
    const int64_t rows = shape.batch * shape.channels, parts = parts_of(shape, rows);
    if (parts > 1)
      compose_parts<T, Threads, Items>
          <<<unsigned(rows * (parts - 1)), Threads, 0, stream>>>(in, maps, parts, shape);
    const unsigned blocks = static_cast<unsigned>((rows * parts + Rows - 1) / Rows);
    const dim3 threads(Threads, Rows);
    forward_rows<T, Threads, Items><<<blocks, threads, 0, stream>>>(
        in, static_cast<T *>(out), checkpoints, maps, parts, shape);
    return cudaGetLastError();
  }
};

}  // namespace

int64_t afx_selective_scan_forward_workspace_cuda(afx_scan_shape shape) {
  const int64_t rows = shape.batch * shape.channels, parts = parts_of(shape, rows);
  return parts > 1 ? 2 * rows * parts * shape.state : 0;
}

int afx_selective_scan_forward_cuda(const afx_scan_inputs *in, void *out, float *checkpoints,
                                    float *workspace, afx_scan_shape shape, void *stream) {
  if (const int status = check(shape)) return status;
  auto *maps = reinterpret_cast<Affine<float> *>(workspace);
  const Forward launch = {*in, out, checkpoints, maps, shape, static_cast<cudaStream_t>(stream)};
  return with_type(in->type, shape.length, launch);
}

const char *afx_message(int status) {
  if (status == AFX_BAD_SHAPE) return "shape out of range";
  if (status == AFX_BAD_TYPE) return "type not taken";
  return cudaGetErrorString(static_cast<cudaError_t>(status));
}

int afx_abi_version(void) { return AFX_ABI_VERSION; }

int64_t afx_sizeof(const char *) { return -1; }  // the CPU library answers for both
