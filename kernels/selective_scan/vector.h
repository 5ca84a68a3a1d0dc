// AFX_WIDTH floats side by side, in the compiler's vector types: the source is the same for every
// instruction set, and each unit that includes it is compiled for one.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif
#include <stdint.h>
#include <string.h>

#include <utility>

#include "recurrence.h"

namespace {

constexpr int W = AFX_WIDTH;
constexpr float LOG2_E = 1.44269504f;  // decays are powers of two
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

// A run of at most W neighbours of a row.
inline Floats load_some(const float *from, int64_t count) {
  return __builtin_expect(count < W, 0) ? load_end<false>(from, count, 0) : load(from);
}

inline void store_some(float *to, int64_t count, Floats v) {
  if (__builtin_expect(count < W, 0)) return store_end<false>(to, count, 0, v);
  store(to, v);
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

// 2^(n + r) for whole n and |r| <= 1/2; 2^r by least squares, 2e-9, and exactly 1 at 0.
inline Floats power(Floats n, Floats r) {
  Floats p = r * 1.5467365e-4f + 1.34004322e-3f;
  p = p * r + 9.61803596e-3f;
  p = p * r + 5.55032721e-2f;
  p = p * r + 0.240226511f;
  p = p * r + 0.693147207f;
  p = p * r + 1.0f;
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  return (Floats)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  const Ints bits = __builtin_convertvector(n, Ints);
  return (Floats)((Ints)p + (bits << 23));
#endif
}

// To the nearest whole number; for |x| < 2^22.
inline Floats nearest(Floats x) {
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  return (Floats)_mm512_roundscale_ps((__m512)x, 0);
#else
  const Floats shift = all(12582912.0f);  // 1.5 * 2^23
  return (x + shift) - shift;
#endif
}

// Into the powers of two that `power` can make. NaN stays NaN.
inline Floats confined(Floats x) {
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  // The scaling instruction under- and overflows by itself.
  const __m512 above = _mm512_max_ps(_mm512_set1_ps(-200.0f), (__m512)x);
  return (Floats)_mm512_min_ps(_mm512_set1_ps(200.0f), above);
#else
  return x < -125.0f ? all(-125.0f) : (x > 127.0f ? all(127.0f) : x);
#endif
}

// 2^x. Levels without a scaling instruction end at 2^-125 and 2^127.
inline Floats exponential2(Floats x) {
  const Floats inside = confined(x), n = nearest(inside);
  return power(n, inside - n);
}

// 2^x for finite x <= 0. The scaling instruction underflows by itself, so nothing is confined
// there.
inline Floats exponential2_below_one(Floats x) {
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  const Floats n = nearest(x);
  return power(n, x - n);
#else
  return exponential2(x);
#endif
}

inline Floats positive_part(Floats s) {
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  return (Floats)_mm512_max_ps(_mm512_setzero_ps(), (__m512)s);  // of NaN: NaN
#else
  return s > 0 ? s : (s == s ? all(0) : s);
#endif
}

inline Floats negative_magnitude(Floats s) { return (Floats)((Ints)s | (Ints)all(-0.0f)); }

// log(1 + e^s), exact in relative terms on both sides: above s = 20 it is s to the last bit, which
// is the published rule. `small` is e^-|s|.
struct Softplus {
  Floats value, small;
};

inline Softplus softplus(Floats s) {
  const Floats down = s > 0 ? -s : s;
  const Floats x = down < -86.0f ? all(-86.0f) : down;
  const Floats n = nearest(x * 1.44269504f);
  // n ln 2 in two parts: the first product is exact, so small steps keep their relative accuracy.
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  const Floats small = power(n, r * 1.44269504f);
  Floats p = small * -3.16399936e-3f + 1.94876861e-2f;  // log(1 + e) / e, 5e-9
  p = p * small + -5.62695258e-2f;
  p = p * small + 0.105329506f;
  p = p * small + -0.152632737f;
  p = p * small + 0.196610179f;
  p = p * small + -0.249511672f;
  p = p * small + 0.333296655f;
  p = p * small + -0.499998909f;
  p = p * small + 1.0f;
  return {small * p + (s > 0 ? s : all(0)), small};
}

// log2(1 + 2^s): softplus where steps and decays are all in powers of two. Relative accuracy on
// both sides: 2^-|s| needs no rounded product before it.
inline Floats softplus2(Floats s) {
  const Floats small = exponential2_below_one(negative_magnitude(s));
  Floats p = small * (LOG2_E * -3.16399936e-3f) + LOG2_E * 1.94876861e-2f;  // log2(1 + e) / e
  p = p * small + LOG2_E * -5.62695258e-2f;
  p = p * small + LOG2_E * 0.105329506f;
  p = p * small + LOG2_E * -0.152632737f;
  p = p * small + LOG2_E * 0.196610179f;
  p = p * small + LOG2_E * -0.249511672f;
  p = p * small + LOG2_E * 0.333296655f;
  p = p * small + LOG2_E * -0.499998909f;
  p = p * small + LOG2_E;
  return small * p + positive_part(s);
}

// 1 / x for 1 <= x < 2^127, to a rounding or two.
inline Floats inverse(Floats x) {
#if AFX_WIDTH == 16 && defined(__AVX512F__)
  const Floats rough = (Floats)_mm512_rcp14_ps((__m512)x);
  return rough * (2.0f - x * rough);  // a division occupies its unit three times as long
#else
  return 1.0f / x;
#endif
}

// silu(g) = g / (1 + e^-g)
inline Floats silu(Floats g) {
  const Floats x = g * -LOG2_E;
  return g * inverse(exponential2(x > 126.0f ? all(126.0f) : x) + 1.0f);
}

// x/2 (1 + erf(x / sqrt 2)), erf by Abramowitz and Stegun, 7.1.26, to 1.5e-7.
inline Floats gelu(Floats x) {
  const Floats z = negative_magnitude(x) * -0.70710678f, t = inverse(z * 0.3275911f + 1.0f);
  Floats p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Floats half = x * 0.5f, tail = half * (p * t) * exponential2_below_one(z * z * -LOG2_E);
  return x > 0 ? x - tail : tail;
}

// The derivative of softplus.
inline Floats slope_of(Floats s, Softplus soft) {
  return (s > 0 ? all(1) : soft.small) / (soft.small + 1.0f);
}

}  // namespace
