// Layer norm of places whose channels lie side by side.
#pragma once

#include "vector.h"

namespace {

inline Floats inverse_root(Floats v) {
  for (int i = 0; i < W; i++) v[i] = 1.0f / __builtin_sqrtf(v[i]);
  return v;
}

template <int K, int... I>
inline Floats exchanged(Floats v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ K)...);
}

// In every lane the sum over its group of `Size` neighbouring lanes.
template <int Size>
inline Floats group_sum(Floats v) {
  if constexpr (Size > 1) {
    v = group_sum<Size / 2>(v);
    return v + exchanged<Size / 2>(v, Lanes{});
  }
  return v;
}

// Layer norm of [places, Size]: a vector holds whole places.
template <int Size>
void norm_narrow(const float *x, const float *weight, const float *bias, float epsilon, float *out,
                 int64_t places) {
  Floats scales, shifts;
  for (int i = 0; i < W; i++) scales[i] = weight[i % Size], shifts[i] = bias[i % Size];
  for (int64_t at = 0; at < places * Size; at += W) {
    const int64_t count = places * Size - at < W ? places * Size - at : W;
    const Floats v = load_some(x + at, count);
    const Floats centred = v - group_sum<Size>(v) / (float)Size;
    const Floats variance = group_sum<Size>(centred * centred) / (float)Size;
    store_some(out + at, count, centred * inverse_root(variance + epsilon) * scales + shifts);
  }
}

// Layer norm of `Places` places, `stride` floats apart: side by side, since the sum over one
// place's lanes is a chain of shuffles that leaves the units idle.
template <int Places>
inline void norm_places(const float *x, const float *weight, const float *bias, float epsilon,
                        float *out, int64_t channels, int64_t stride) {
  Floats sums[Places] = {}, squares[Places] = {};
  for (int64_t c = 0; c < channels; c += W)
    for (int p = 0; p < Places; p++) sums[p] += load_some(x + p * stride + c, channels - c);
  for (int p = 0; p < Places; p++) sums[p] = group_sum<W>(sums[p]) / (float)channels;
  for (int64_t c = 0; c < channels; c += W)
    for (int p = 0; p < Places; p++) {
      const Floats v = load_some(x + p * stride + c, channels - c) - sums[p];
      const Floats centred = keep(v, channels - c);
      squares[p] += centred * centred;
    }
  for (int p = 0; p < Places; p++) squares[p] = group_sum<W>(squares[p]) / (float)channels;
  for (int p = 0; p < Places; p++)
    squares[p] = all(1.0f / __builtin_sqrtf(squares[p][0] + epsilon));
  for (int64_t c = 0; c < channels; c += W) {
    const int64_t count = channels - c;
    const Floats scale = load_some(weight + c, count), shift = load_some(bias + c, count);
    for (int p = 0; p < Places; p++) {
      const Floats centred = load_some(x + p * stride + c, count) - sums[p];
      store_some(out + p * stride + c, count, centred * squares[p] * scale + shift);
    }
  }
}

void norm_wide(const float *x, const float *weight, const float *bias, float epsilon, float *out,
               int64_t channels, int64_t places, int64_t stride) {
  int64_t place = 0;
  for (; place + 4 <= places; place += 4)
    norm_places<4>(x + place * stride, weight, bias, epsilon, out + place * stride, channels,
                   stride);
  for (; place < places; place++)
    norm_places<1>(x + place * stride, weight, bias, epsilon, out + place * stride, channels,
                   stride);
}

// Layer norm of [places, channels] for any number of channels; out may be x.
void norm(const float *x, const float *weight, const float *bias, float epsilon, float *out,
          int64_t channels, int64_t places) {
  switch (channels) {
    case 1: return norm_narrow<1>(x, weight, bias, epsilon, out, places);
    case 2: return norm_narrow<2>(x, weight, bias, epsilon, out, places);
    case 4: return norm_narrow<4>(x, weight, bias, epsilon, out, places);
#if AFX_WIDTH > 4
    case 8: return norm_narrow<8>(x, weight, bias, epsilon, out, places);
#endif
    default: return norm_wide(x, weight, bias, epsilon, out, channels, places, channels);
  }
}

}  // namespace
