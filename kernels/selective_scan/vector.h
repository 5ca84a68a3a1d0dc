// AFX_WIDTH floats side by side, in the compiler's vector types: the source is the same for every
// instruction set, and each unit that includes it is compiled for one.
#pragma once

#include <stdint.h>
#include <string.h>

#include <utility>

#include "recurrence.h"

namespace {

constexpr int W = AFX_WIDTH;
typedef float Floats __attribute__((vector_size(4 * AFX_WIDTH)));
typedef int32_t Ints __attribute__((vector_size(4 * AFX_WIDTH)));
using Lanes = std::make_integer_sequence<int, W>;

inline Floats all(float value) { return value - Floats{}; }

template <int... I>
inline Floats reversed(Floats v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (W - 1 - I)...);
}

// Lane i takes lane i - K (from the end: i + K), and `fill` where there is none.
template <bool FromEnd, int K, int... I>
inline Floats shifted(Floats v, Floats fill, std::integer_sequence<int, I...>) {
  if constexpr (FromEnd) {
    return __builtin_shufflevector(v, fill, (I + K < W ? I + K : W + I)...);
  } else {
    return __builtin_shufflevector(v, fill, (I < K ? W + I : I - K)...);
  }
}

template <int Lane, int... I>
inline Floats spread(Floats v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I * 0 + Lane)...);
}

// Composes every lane with all lanes before it (from the end: after it).
template <bool FromEnd, int K = 1>
inline Affine<Floats> scan_lanes(Affine<Floats> x) {
  if constexpr (K < W) {
    const Affine<Floats> before = {shifted<FromEnd, K>(x.a, all(1), Lanes{}),
                                   shifted<FromEnd, K>(x.b, all(0), Lanes{})};
    return scan_lanes<FromEnd, 2 * K>(compose(before, x));
  } else {
    return x;
  }
}

// The W results after `carry`, which becomes the last of them (from the end: the first).
template <bool FromEnd>
inline Floats recur(Affine<Floats> steps, Floats &carry) {
  const Floats y = apply(scan_lanes<FromEnd>(steps), carry);
  carry = spread < FromEnd ? 0 : W - 1 > (y, Lanes{});
  return y;
}

inline Floats load(const float *from) {
  Floats v;
  memcpy(&v, from, sizeof v);
  return v;
}

inline void store(float *to, Floats v) { memcpy(to, &v, sizeof v); }

// The short end of a row, out of the way of the fast path.
#define AFX_RARE __attribute__((noinline, cold))
template <bool Reversed>
AFX_RARE Floats load_end(const float *row, int64_t rest, int64_t t) {
  float lanes[W] = {};
  for (int64_t i = 0; i < rest; i++) lanes[i] = row[Reversed ? rest - 1 - i : t + i];
  return load(lanes);
}

template <bool Reversed>
AFX_RARE void store_end(float *row, int64_t rest, int64_t t, Floats v) {
  float lanes[W];
  store(lanes, v);
  for (int64_t i = 0; i < rest; i++) row[Reversed ? rest - 1 - i : t + i] = lanes[i];
}

AFX_RARE Floats keep_end(Floats v, int64_t count) {
  float lanes[W];
  store(lanes, v);
  for (int64_t i = count; i < W; i++) lanes[i] = 0;
  return load(lanes);
}

// A row of time that is read in its own direction; short ends are filled with 0.
template <bool Reversed>
inline Floats load(const float *row, int64_t length, int64_t t) {
  const int64_t rest = length - t;
  if (__builtin_expect(rest < W, 0)) return load_end<Reversed>(row, rest, t);
  if constexpr (Reversed) return reversed(load(row + rest - W), Lanes{});
  return load(row + t);
}

template <bool Reversed>
inline void store(float *row, int64_t length, int64_t t, Floats v) {
  const int64_t rest = length - t;
  if (__builtin_expect(rest < W, 0)) return store_end<Reversed>(row, rest, t, v);
  if constexpr (Reversed) {
    store(row + rest - W, reversed(v, Lanes{}));
  } else {
    store(row + t, v);
  }
}

// Zero from lane `count` on.
inline Floats keep(Floats v, int64_t count) {
  return __builtin_expect(count < W, 0) ? keep_end(v, count) : v;
}

inline double sum(Floats v) {
  double total = 0;
  for (int i = 0; i < W; i++) total += v[i];
  return total;
}

// e^x to 1.2 ulp; 0 below e^-86.6, infinite above e^88.3; NaN stays NaN.
inline Floats exponential(Floats x) {
  constexpr float lowest = -86.6f, highest = 88.3f;
  const Floats inside = x < lowest ? all(lowest) : (x > highest ? all(highest) : x);
  // x = n ln 2 + r; adding 1.5 * 2^23 rounds, and leaves n in the low bits.
  const Floats shift = all(12582912.0f);
  const Floats rounded = inside * 1.44269504f + shift;
  const Floats n = rounded - shift;
  const Floats r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;  // Cephes, expf
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Floats scaled = (Floats)((Ints)p + ((Ints)rounded << 23));
  return x < lowest ? all(0) : (x > highest ? all(__builtin_inff()) : scaled);
}

struct Softplus {
  Floats value, slope;
};

// log(1 + e^s) and its derivative, exact in relative terms on both sides. Above s = 20 the value
// is s to the last bit, which is the published rule.
inline Softplus softplus(Floats s) {
  const Floats e = exponential(s > 0 ? -s : s);
  const Floats z = e / (e + 2.0f);  // log(1 + e) = 2 artanh(z), z in [0, 1/3]
  const Floats q = z * z;
  Floats p = q * 0.140138198f + 0.139990866f;  // least squares, 5e-9
  p = p * q + 0.200108954f;
  p = p * q + 0.333332052f;
  const Floats log1p = 2.0f * (z + z * q * p);
  const Floats slope = (s > 0 ? all(1) : e) / (e + 1.0f);
  return {(s > 0 ? s : all(0)) + log1p, slope};
}

}  // namespace
