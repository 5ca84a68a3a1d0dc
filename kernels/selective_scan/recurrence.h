// The arithmetic both twins share: one step of a first-order recurrence as an affine map.
#pragma once

#ifdef __CUDACC__
#define AFX_HD __host__ __device__ __forceinline__
#else
#define AFX_HD inline
#endif

// Internal linkage on purpose: the CPU units are compiled for different instructions, and the
// linker must not merge their copies.
namespace {

// The map y -> a y + b. Composing two never divides, so decays that underflow stay exact.
template <class T>
struct Affine {
  T a, b;
};

template <class T>
AFX_HD Affine<T> compose(Affine<T> first, Affine<T> second) {
  return {second.a * first.a, second.a * first.b + second.b};
}

template <class T>
AFX_HD T apply(Affine<T> map, T y) {
  return map.a * y + map.b;
}

}  // namespace
