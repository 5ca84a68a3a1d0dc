// What the forward and backward kernels share: tiles in registers, and scans over a block.
//
// Threads of one y walk rows of time tile by tile. Thread k of them holds the neighbouring steps
// k * Items ... k * Items + Items - 1 of the tile; steps past the end of time hold 0.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "audiofix_kernels.h"
#include "recurrence.h"

namespace {

constexpr int WARP = 32;
constexpr unsigned EVERY_LANE = 0xffffffffu;
constexpr float LOG2_E = 1.44269504f;  // decays are powers of two: one instruction

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(__half x) { return __half2float(x); }
__device__ __forceinline__ float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ void narrow(float x, float &to) { to = x; }
__device__ __forceinline__ void narrow(float x, __half &to) { to = __float2half_rn(x); }
__device__ __forceinline__ void narrow(float x, __nv_bfloat16 &to) { to = __float2bfloat16_rn(x); }

// What one instruction moves.
template <class T>
struct alignas(16) Vector {
  static constexpr int SIZE = 16 / sizeof(T);
  T items[SIZE];
};

// log(1 + e^s); above 20 that is s itself to the last bit.
__device__ __forceinline__ float softplus(float s) {
  return fmaxf(s, 0.0f) + log1pf(expf(-fabsf(s)));
}

template <int Threads, int Items>
struct Block {
  static constexpr int TILE = Threads * Items, WARPS = Threads / WARP;
  static_assert(TILE <= AFX_CUDA_TILE, "a tile is at most the distance of checkpoints");

  struct Shared {
    float exchange[TILE + TILE / WARP];  // one place of padding per warp: no bank conflicts
    Affine<float> totals[WARPS];
    float sums[WARPS];
    float edges[Threads + 1];
    float carry;
  };
  Shared &shared;

  // Where a row's step t lies, for rows that run in either direction of time.
  struct Row {
    int64_t length, start;
    bool reversed;
    __device__ int64_t at(int step) const {
      return reversed ? length - 1 - start - step : start + step;
    }
    __device__ bool holds(int step) const { return start + step < length; }
    __device__ bool whole() const { return holds(TILE - 1); }
    // Of a whole tile, the place with the lowest address.
    __device__ int64_t lowest() const { return at(reversed ? TILE - 1 : 0); }
  };

  static __device__ int padded(int place) { return place + place / WARP; }
  static __device__ int first() { return threadIdx.x * Items; }

  // Neighbouring threads read neighbouring addresses, then exchange what they read.
  template <class T>
  __device__ void load(const T *from, const Row &row, float (&items)[Items]) {
    __syncthreads();
    if (row.whole() && aligned(from + row.lowest())) {
      const auto *vectors = reinterpret_cast<const Vector<T> *>(from + row.lowest());
#pragma unroll
      for (int i = 0; i < Items / Vector<T>::SIZE; i++) {
        const int vector = i * Threads + threadIdx.x;
        const Vector<T> together = vectors[vector];
#pragma unroll
        for (int k = 0; k < Vector<T>::SIZE; k++)
          at_place(row, vector * Vector<T>::SIZE + k) = widen(together.items[k]);
      }
    } else {
#pragma unroll 2  // addresses of more would fill registers that whole tiles need
      for (int i = 0; i < Items; i++) {
        const int step = i * Threads + threadIdx.x;
        shared.exchange[padded(step)] = row.holds(step) ? widen(from[row.at(step)]) : 0.0f;
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Items; i++) items[i] = shared.exchange[padded(first() + i)];
  }

  // `add`: to what is there. Every element has one owner, so no atomics are needed.
  template <class T>
  __device__ void store(T *to, const Row &row, const float (&items)[Items], bool add = false) {
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Items; i++) shared.exchange[padded(first() + i)] = items[i];
    __syncthreads();
    if (row.whole() && aligned(to + row.lowest())) {
      auto *vectors = reinterpret_cast<Vector<T> *>(to + row.lowest());
#pragma unroll
      for (int i = 0; i < Items / Vector<T>::SIZE; i++) {
        const int vector = i * Threads + threadIdx.x;
        Vector<T> &place = vectors[vector], together;
        if (add) together = place;
#pragma unroll
        for (int k = 0; k < Vector<T>::SIZE; k++) {
          const float value = at_place(row, vector * Vector<T>::SIZE + k);
          narrow(add ? widen(together.items[k]) + value : value, together.items[k]);
        }
        place = together;
      }
      return;
    }
#pragma unroll 2
    for (int i = 0; i < Items; i++) {
      const int step = i * Threads + threadIdx.x;
      if (!row.holds(step)) continue;
      T &place = to[row.at(step)];
      const float value = shared.exchange[padded(step)];
      narrow(add ? widen(place) + value : value, place);
    }
  }

  // All steps of the threads before this one (from the end: after it), composed.
  template <bool FromEnd>
  __device__ Affine<float> before(Affine<float> own) {
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int rank = FromEnd ? WARP - 1 - lane : lane;
#pragma unroll
    for (int distance = 1; distance < WARP; distance *= 2) {
      const Affine<float> other = neighbour<FromEnd>(own, distance);
      if (rank >= distance) own = compose(other, own);
    }
    __syncthreads();
    if (rank == WARP - 1) shared.totals[warp] = own;
    __syncthreads();
    Affine<float> result = neighbour<FromEnd>(own, 1);
    if (rank == 0) result = {1.0f, 0.0f};
    Affine<float> warps = {1.0f, 0.0f};
#pragma unroll
    for (int i = 0; i < WARPS; i++) {
      const int other = FromEnd ? WARPS - 1 - i : i;
      if (FromEnd ? other > warp : other < warp) warps = compose(warps, shared.totals[other]);
    }
    return compose(warps, result);
  }

  // The sum over the block, in thread 0, always in the same order.
  __device__ float sum(float value) {
#pragma unroll
    for (int distance = WARP / 2; distance; distance /= 2)
      value += __shfl_down_sync(EVERY_LANE, value, distance);
    __syncthreads();
    if (threadIdx.x % WARP == 0) shared.sums[threadIdx.x / WARP] = value;
    __syncthreads();
    float total = 0;
    for (int i = 0; i < WARPS; i++) total += shared.sums[i];
    return total;
  }

 private:
  template <class T>
  static __device__ bool aligned(const T *address) {
    return reinterpret_cast<uintptr_t>(address) % sizeof(Vector<T>) == 0;
  }

  // Where the value of a whole tile's n-th address is exchanged.
  __device__ float &at_place(const Row &row, int n) {
    return shared.exchange[padded(row.reversed ? TILE - 1 - n : n)];
  }

  template <bool FromEnd>
  static __device__ Affine<float> neighbour(Affine<float> own, int distance) {
    if (FromEnd)
      return {__shfl_down_sync(EVERY_LANE, own.a, distance),
              __shfl_down_sync(EVERY_LANE, own.b, distance)};
    return {__shfl_up_sync(EVERY_LANE, own.a, distance),
            __shfl_up_sync(EVERY_LANE, own.b, distance)};
  }
};

// The steps of a tile of one row: softplus(delta + bias), or that itself. Past the end they are 0,
// so decay 1 and input 0 leave the state alone.
template <class T, class Tile, int Items>
__device__ void load_steps(Tile &block, const afx_scan_inputs &in, const afx_scan_shape &shape,
                           int64_t row, const typename Tile::Row &where, float (&step)[Items]) {
  const float bias = in.delta_bias ? in.delta_bias[row % shape.channels] : 0.0f;
  block.load(static_cast<const T *>(in.delta) + row * shape.length, where, step);
#pragma unroll
  for (int i = 0; i < Items; i++) {
    const float s = step[i] + bias;
    step[i] = !where.holds(Tile::first() + i) ? 0.0f : in.softplus ? softplus(s) : s;
  }
}

// Few long rows are cut into parts, a block each, so that every multiprocessor has work. Each part
// is first composed into one affine map of the state that enters it.
struct Part {
  int64_t first, end;  // tiles
  __device__ Part(int64_t tiles, int64_t parts, int64_t part)
      : first(tiles * part / parts), end(tiles * (part + 1) / parts) {}
};

// The threads of a full block, and how many a multiprocessor should hold at least: registers that
// would leave room for fewer are worth less than threads that hide each other's waiting.
constexpr int BLOCK_THREADS = 256, LEAST_THREADS = 512;

constexpr int64_t WANTED_BLOCKS = 528;  // about four for each of 132 multiprocessors

inline __host__ __device__ int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

// How many parts rows are cut into where there are so many blocks without. Composing costs more
// than half of a scan, so two parts would gain nothing. The shape alone decides: bits repeat.
inline int64_t parts_of(const afx_scan_shape &shape, int64_t blocks) {
  const int64_t wanted = WANTED_BLOCKS / blocks, fitting = shape.length / (4 * AFX_CUDA_TILE);
  return wanted < 3 || fitting < 2 ? 1 : at_most(wanted, fitting);
}

inline int check(const afx_scan_shape &shape) {
  const bool good = shape.batch > 0 && shape.channels > 0 && shape.length > 0 && shape.state > 0 &&
                    shape.state <= AFX_MAX_STATE && shape.groups > 0 &&
                    shape.channels % shape.groups == 0 && shape.reversed_groups >= 0 &&
                    shape.reversed_groups <= shape.groups &&
                    shape.batch * shape.channels <= INT32_MAX;
  return good ? 0 : AFX_BAD_SHAPE;
}

// Calls launch.template run<T, Threads, Items>() with the input type and a block for the length.
template <class T, class Launch>
int with_block(int64_t length, const Launch &launch) {
  if (length <= 256) return launch.template run<T, 32, 8>();
  if (length <= 1024) return launch.template run<T, 128, 8>();
  return launch.template run<T, BLOCK_THREADS, 8>();
}

template <class Launch>
int with_type(int type, int64_t length, const Launch &launch) {
  switch (type) {
    case AFX_FLOAT32: return with_block<float>(length, launch);
    case AFX_FLOAT16: return with_block<__half>(length, launch);
    case AFX_BFLOAT16: return with_block<__nv_bfloat16>(length, launch);
    default: return AFX_BAD_TYPE;
  }
}

}  // namespace
