// What the forward and backward kernels share: tiles in registers, and scans over a block.
//
// A block walks rows of time tile by tile. Thread k holds the neighbouring steps
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

// log(1 + e^s) and its derivative; above 20 both are those of s itself to the last bit.
struct Softplus {
  float value, slope;
};
__device__ __forceinline__ Softplus softplus(float s) {
  const float e = expf(-fabsf(s));
  return {fmaxf(s, 0.0f) + log1pf(e), (s > 0 ? 1.0f : e) / (1.0f + e)};
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
  };

  static __device__ int padded(int place) { return place + place / WARP; }
  static __device__ int first() { return threadIdx.x * Items; }

  // Neighbouring threads read neighbouring addresses, then exchange what they read.
  template <class T>
  __device__ void load(const T *from, const Row &row, float (&items)[Items]) {
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Items; i++) {
      const int step = i * Threads + threadIdx.x;
      shared.exchange[padded(step)] = row.holds(step) ? widen(from[row.at(step)]) : 0.0f;
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
#pragma unroll
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
  template <bool FromEnd>
  static __device__ Affine<float> neighbour(Affine<float> own, int distance) {
    if (FromEnd)
      return {__shfl_down_sync(EVERY_LANE, own.a, distance),
              __shfl_down_sync(EVERY_LANE, own.b, distance)};
    return {__shfl_up_sync(EVERY_LANE, own.a, distance),
            __shfl_up_sync(EVERY_LANE, own.b, distance)};
  }
};

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
  if (length <= 1024) return launch.template run<T, 64, 16>();
  return launch.template run<T, 128, 16>();
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
