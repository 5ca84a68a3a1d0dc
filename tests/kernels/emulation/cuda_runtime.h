// CUDA on one core, slowly: each thread of a block is a fiber that runs until it has to wait.
//
// Blocks run one after the other. Shared memory is filled with NaN before each block, and the fibers
// of a block are resumed in an order that changes from barrier to barrier, so that a value read
// before a barrier has made it whole is seen to be wrong.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <functional>
#include <map>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __CUDACC__ 1

typedef void *cudaStream_t;
typedef int cudaError_t;
inline int cudaGetLastError() { return 0; }
inline const char *cudaGetErrorString(cudaError_t) { return "emulated"; }

namespace emulated {

struct Index {
  unsigned x, y = 1, z = 1;
  Index(unsigned x = 1, unsigned y = 1) : x(x), y(y) {}
};

constexpr unsigned WARP_LANES = 32;
constexpr size_t STACK = 256 * 1024;

struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  bool done = false;
  unsigned barriers = 0, exchanges = 0;  // passed so far, or waited for
  float offered[2] = {};                 // to the warp, in turns
};

struct Block {
  std::vector<Fiber> fibers;
  unsigned current = 0;
  ucontext_t scheduler;
  std::function<void()> kernel;
  std::map<int, std::vector<char>> shared;  // by the line that declares it
};

inline Block *block = nullptr;
inline Index thread_index, block_index, block_size, grid_size;
inline unsigned order = 1;  // of a linear congruential generator

inline unsigned drawn(unsigned below) {
  order = order * 1664525u + 1013904223u;
  return (order >> 16) % below;
}

inline void wait() { swapcontext(&block->fibers[block->current].context, &block->scheduler); }

inline Fiber &self() { return block->fibers[block->current]; }

inline void synchronise_threads() {
  self().barriers++;
  wait();
}

// The value that another lane of the warp offers at the same exchange.
inline float exchanged(float value, int source) {
  Fiber &own = self();
  own.offered[own.exchanges % 2] = value;
  own.exchanges++;
  wait();
  const unsigned first = block->current / WARP_LANES * WARP_LANES;
  return block->fibers[first + source].offered[(own.exchanges - 1) % 2];
}

// What `__shared__ T name;` in this line stands for: one for the block, of NaN at first.
template <int Line, class T>
T &shared() {
  std::vector<char> &memory = block->shared[Line];
  if (memory.empty()) memory.assign(sizeof(T), (char)0xff);
  return *(T *)memory.data();
}

inline void enter() {
  block->kernel();
  self().done = true;
  wait();
}

// A fiber may go on when every other one of its block has come to the same barrier, and every other
// one of its warp to the same exchange.
inline bool may_go_on(unsigned index) {
  const Fiber &own = block->fibers[index];
  for (unsigned i = 0; i < block->fibers.size(); i++) {
    const Fiber &other = block->fibers[i];
    if (other.done) continue;
    if (other.barriers < own.barriers) return false;
    if (i / WARP_LANES == index / WARP_LANES && other.exchanges < own.exchanges) return false;
  }
  return true;
}

inline void run_block(Index size, const std::function<void()> &kernel) {
  const unsigned threads = size.x * size.y;
  Block own;
  own.fibers.resize(threads);
  own.kernel = kernel;
  block = &own;
  for (Fiber &fiber : own.fibers) {
    fiber.stack.resize(STACK);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = STACK;
    makecontext(&fiber.context, enter, 0);
  }
  for (unsigned left = threads, stuck = 0; left;) {
    if (stuck++ > 2 * threads) abort();  // a barrier that not every thread reaches
    const unsigned start = drawn(threads);
    for (unsigned i = 0; i < threads; i++) {
      const unsigned index = (start + i) % threads;
      if (own.fibers[index].done || !may_go_on(index)) continue;
      own.current = index;
      thread_index.x = index % size.x;
      thread_index.y = index / size.x;
      swapcontext(&own.scheduler, &own.fibers[index].context);
      left -= own.fibers[index].done;
      stuck = 0;
    }
  }
  block = nullptr;
}

inline void launch(unsigned blocks, Index threads, const std::function<void()> &kernel) {
  grid_size.x = blocks;
  block_size = threads;
  for (block_index.x = 0; block_index.x < blocks; block_index.x++) run_block(threads, kernel);
}

}  // namespace emulated

typedef emulated::Index dim3;

#define threadIdx emulated::thread_index
#define blockIdx emulated::block_index
#define blockDim emulated::block_size
#define gridDim emulated::grid_size
#define __syncthreads emulated::synchronise_threads

inline float __shfl_up_sync(unsigned, float value, int distance) {
  const int lane = threadIdx.x % emulated::WARP_LANES;
  return emulated::exchanged(value, lane >= distance ? lane - distance : lane);
}

inline float __shfl_down_sync(unsigned, float value, int distance) {
  const int lane = threadIdx.x % emulated::WARP_LANES, from = lane + distance;
  return emulated::exchanged(value, from < (int)emulated::WARP_LANES ? from : lane);
}
