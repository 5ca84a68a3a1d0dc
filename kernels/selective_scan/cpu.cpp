// The CPU twin's C interface: checks shapes, chooses instructions, shares rows among threads and
// adds up partial sums in an order that depends on the shape alone.

#include "cpu_level.h"

#include <string.h>
#ifdef AFX_HAS_MATRIX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }

#if defined(__x86_64__)
const CpuLevel *const LEVELS[] = {&afx_level_baseline, &afx_level_avx2, &afx_level_avx512};
const CpuPlane *const PLANES[] = {&afx_plane_baseline, &afx_plane_avx2, &afx_plane_avx512};
const CpuBlock *const BLOCKS[] = {&afx_block_baseline, &afx_block_avx2, &afx_block_avx512};
int highest_level() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return 2;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0;
}
#else
const CpuLevel *const LEVELS[] = {&afx_level_baseline};
const CpuPlane *const PLANES[] = {&afx_plane_baseline};
const CpuBlock *const BLOCKS[] = {&afx_block_baseline};
int highest_level() { return 0; }
#endif

int current_level = highest_level();

#ifdef AFX_HAS_MATRIX
// Whether the processor has tiles of bfloat16 and vectors that round to it, and Linux lets this
// process use them: it keeps 8 KB more a thread from then on.
bool matrix_units() {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned AMX_BF16 = 1u << 22, AMX_TILE = 1u << 24, AVX512_BF16 = 1u << 5;
  if (!(d & AMX_BF16) || !(d & AMX_TILE)) return false;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & AVX512_BF16)) return false;
  constexpr long REQUEST_PERMISSION = 0x1023, TILE_DATA = 18;  // of arch_prctl
  return highest_level() == 2 && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
const CpuBlock *const MATRIX_BLOCK = &afx_block_matrix;
#else
bool matrix_units() { return false; }
const CpuBlock *const MATRIX_BLOCK = nullptr;
#endif

int check(const afx_scan_inputs *in, const afx_scan_shape &shape) {
  if (in->type != AFX_FLOAT32) return AFX_BAD_TYPE;
  const bool good = shape.batch > 0 && shape.channels > 0 && shape.length > 0 && shape.state > 0 &&
                    shape.state <= AFX_MAX_STATE && shape.groups > 0 &&
                    shape.channels % shape.groups == 0 && shape.reversed_groups >= 0 &&
                    shape.reversed_groups <= shape.groups;
  return good ? 0 : AFX_BAD_SHAPE;
}

// Into how many units the rows of a group are cut for the backward pass, each with its own partial
// gradients of B and C: enough for 16 threads, but at least a block of rows each.
int64_t backward_splits(const afx_scan_shape &shape) {
  const int64_t rows = shape.channels / shape.groups, pairs = shape.batch * shape.groups;
  return at_least(1, at_most((16 + pairs - 1) / pairs, rows / BLOCK));
}

// Unit `index` of batch x groups x splits.
RowRange unit(const afx_scan_shape &shape, int64_t splits, int64_t index) {
  const int64_t rows = shape.channels / shape.groups;
  const int64_t split = index % splits, pair = index / splits;
  const int64_t item = pair / shape.groups, group = pair % shape.groups;
  const int64_t first = group * rows;
  return {item, group, first + rows * split / splits, first + rows * (split + 1) / splits};
}

// to[i] = sum over s of from[s * stride + i], s in order.
void add_parts(float *to, const float *from, int64_t parts, int64_t stride, int64_t count) {
  memcpy(to, from, count * sizeof(float));
  for (int64_t part = 1; part < parts; part++)
    for (int64_t i = 0; i < count; i++) to[i] += from[part * stride + i];
}

struct Workspace {
  int64_t row_sums, shared;  // floats for the sums of one kind: per row, and for B or C
  int64_t total() const { return row_sums + 2 * shared; }
};

Workspace workspace_of(const afx_scan_shape &shape) {
  const int64_t splits = backward_splits(shape);
  const int64_t shared = shape.batch * shape.groups * splits * shape.state * shape.length;
  return {shape.batch * shape.channels * (shape.state + 2), splits > 1 ? shared : 0};
}

int64_t padded(int64_t channels) { return (channels + AFX_PANEL - 1) / AFX_PANEL * AFX_PANEL; }

// The workspace of a block, in floats: the plane, its projections and the scan's result for one
// item, then what each band of rows needs for itself.
struct BlockSpace {
  int64_t plane, projected, values, hidden;
  int64_t band() const { return values + hidden; }
  int64_t total(int64_t bands) const { return 2 * plane + projected + bands * band(); }
};

BlockSpace block_space(const afx_block_weights &in, int64_t height, int64_t width) {
  const int64_t places = height * (width + 1), inner = padded(in.inner);
  return {places * inner, places * padded(AFX_ROUTES * (in.rank + 2)), 4 * width * inner,
          AFX_BLOCK_TILE * padded(in.hidden)};
}

}  // namespace

int afx_selective_scan_forward_cpu(const afx_scan_inputs *in, float *out, float *checkpoints,
                                   afx_scan_shape shape, int threads) {
  if (const int status = check(in, shape)) return status;
  const int64_t rows = shape.channels / shape.groups;
  // Rows do not depend on each other here, so the cut may depend on the threads.
  const int64_t splits = at_least(1, at_most(rows, 4 * threads));
  const int64_t units = shape.batch * shape.groups * splits;
  const CpuLevel &level = *LEVELS[current_level];
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int64_t index = 0; index < units; index++)
    level.forward(*in, out, checkpoints, shape, unit(shape, splits, index));
  return 0;
}

int64_t afx_selective_scan_workspace_cpu(afx_scan_shape shape) {
  return workspace_of(shape).total();
}

int afx_selective_scan_backward_cpu(const afx_scan_inputs *in, const float *dout,
                                    const float *checkpoints, const afx_scan_gradients *gradients,
                                    float *workspace, afx_scan_shape shape, int threads) {
  if (const int status = check(in, shape)) return status;
  const int64_t splits = backward_splits(shape), pairs = shape.batch * shape.groups;
  const int64_t plane = shape.state * shape.length, all_rows = shape.batch * shape.channels;
  const int64_t row_states = shape.channels * shape.state;
  float *A = workspace, *D = A + all_rows * shape.state, *bias = D + all_rows;
  float *B = splits > 1 ? bias + all_rows : gradients->B;
  float *C = splits > 1 ? B + workspace_of(shape).shared : gradients->C;
  const CpuLevel &level = *LEVELS[current_level];
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int64_t index = 0; index < pairs * splits; index++) {
    const RowRange rows = unit(shape, splits, index);
    const PartialSums partial = {A + rows.item * row_states, D + rows.item * shape.channels,
                                 bias + rows.item * shape.channels, B + index * plane,
                                 C + index * plane};
    level.backward(*in, dout, checkpoints, *gradients, partial, shape, rows);
  }
  if (splits > 1) {
#pragma omp parallel for num_threads(threads)
    for (int64_t pair = 0; pair < pairs; pair++) {
      const int64_t from = pair * splits * plane;
      add_parts(gradients->B + pair * plane, B + from, splits, plane, plane);
      add_parts(gradients->C + pair * plane, C + from, splits, plane, plane);
    }
  }
  add_parts(gradients->A, A, shape.batch, row_states, row_states);
  if (gradients->D) add_parts(gradients->D, D, shape.batch, shape.channels, shape.channels);
  if (gradients->delta_bias)
    add_parts(gradients->delta_bias, bias, shape.batch, shape.channels, shape.channels);
  return 0;
}

int afx_plane_scan_cpu(const afx_plane_inputs *in, float *out, afx_plane_shape shape, int threads) {
  const bool good = shape.batch > 0 && shape.channels > 0 && shape.width > 0 && shape.height > 0 &&
                    shape.height <= AFX_MAX_HEIGHT && shape.state > 0 &&
                    shape.state <= AFX_MAX_STATE && shape.rank > 0;
  if (!good) return AFX_BAD_SHAPE;
  // Channels do not depend on each other, so the cut may depend on the threads.
  const int64_t block = at_least(1, at_most(BLOCK, shape.channels / threads));
  const int64_t blocks = (shape.channels + block - 1) / block;
  const CpuPlane &plane = *PLANES[current_level];
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int64_t index = 0; index < shape.batch * blocks; index++) {
    const int64_t first = index % blocks * block;
    plane.scan(*in, out, shape, index / blocks, first, at_most(first + block, shape.channels));
  }
  return 0;
}

int afx_convolve_cpu(const float *plane, int64_t stride, const float *weight, const float *bias,
                     float *out, int64_t batch, int64_t channels, int64_t height, int64_t width,
                     int threads) {
  if (batch < 1 || channels < 1 || height < 1 || width < 1) return AFX_BAD_SHAPE;
  const CpuPlane &level = *PLANES[current_level];
#pragma omp parallel for num_threads(threads)
  for (int64_t index = 0; index < batch * channels; index++) {
    const int64_t item = index / channels, channel = index % channels, area = height * width;
    level.convolve(plane + item * stride + channel * area, weight + channel * 9, bias[channel],
                   out + index * area, height, width);
  }
  return 0;
}

int afx_norm_cpu(const float *x, const float *weight, const float *bias, float epsilon, float *out,
                 int64_t channels, int64_t places, int threads) {
  if (channels < 1 || places < 1) return AFX_BAD_SHAPE;
  // Pieces are multiples of every vector width, so a place's bits do not depend on the cut.
  const int64_t piece = at_least(64, (16384 / channels) & ~63);
  const int64_t pieces = (places + piece - 1) / piece;
  const CpuPlane &level = *PLANES[current_level];
#pragma omp parallel for num_threads(threads)
  for (int64_t index = 0; index < pieces; index++) {
    const int64_t first = index * piece, at = first * channels;
    level.norm(x + at, weight, bias, epsilon, out + at, channels, at_most(piece, places - first));
  }
  return 0;
}

int afx_norm_gate_cpu(const float *x, const float *gate, int64_t gate_stride, const float *weight,
                      const float *bias, float epsilon, float *out, int64_t batch, int64_t channels,
                      int64_t places, int threads) {
  if (batch < 1 || channels < 1 || places < 1) return AFX_BAD_SHAPE;
  constexpr int64_t PIECE = 1024;
  const int64_t pieces = (places + PIECE - 1) / PIECE, plane = channels * places;
  const CpuPlane &level = *PLANES[current_level];
#pragma omp parallel for num_threads(threads)
  for (int64_t index = 0; index < batch * pieces; index++) {
    const int64_t item = index / pieces, first = index % pieces * PIECE;
    level.norm_gate(x + item * plane, gate + item * gate_stride, weight, bias, epsilon,
                    out + item * plane, channels, places, first, at_most(first + PIECE, places));
  }
  return 0;
}

int afx_project_cpu(const float *x, const float *weight, const float *bias, int gelu, float *out,
                    int64_t batch, int64_t inputs, int64_t outputs, int64_t places, int threads) {
  if (batch < 1 || inputs < 1 || outputs < 1 || places < 1) return AFX_BAD_SHAPE;
  constexpr int64_t PIECE = 4096;
  const int64_t pieces = (places + PIECE - 1) / PIECE;
  const CpuPlane &level = *PLANES[current_level];
#pragma omp parallel for num_threads(threads)
  for (int64_t index = 0; index < batch * pieces; index++) {
    const int64_t item = index / pieces, first = index % pieces * PIECE;
    level.project(x + item * inputs * places + first, weight, bias, gelu != 0,
                  out + item * outputs * places + first, inputs, outputs, places,
                  at_most(PIECE, places - first));
  }
  return 0;
}

int64_t afx_block_workspace_cpu(const afx_block_weights *in, int64_t height, int64_t width,
                                int threads) {
  return block_space(*in, height, width).total(at_most(threads, height));
}

int afx_block_cpu(const afx_block_weights *in, float *x, float *workspace, int64_t batch,
                  int64_t height, int64_t width, int threads) {
  const bool good = batch > 0 && height > 0 && width > 0 && in->channels > 0 &&
                    in->channels <= AFX_MAX_BLOCK && in->inner > 0 && in->inner <= AFX_MAX_INNER &&
                    in->hidden > 0 && in->rank > 0 && in->rank <= AFX_MAX_RANK && threads > 0;
  if (!good || (in->bfloat16 && in->hidden > AFX_MAX_DEPTH)) return AFX_BAD_SHAPE;
  if (in->bfloat16 && !afx_cpu_has_matrix_units()) return AFX_BAD_TYPE;
  const BlockSpace space = block_space(*in, height, width);
  const int64_t bands = at_most(threads, height);  // a place's bits do not depend on its band
  float *plane = workspace, *scanned = plane + space.plane, *projected = scanned + space.plane;
  float *own = projected + space.projected;
  const CpuBlock &level = in->bfloat16 ? *MATRIX_BLOCK : *BLOCKS[current_level];
  for (int64_t item = 0; item < batch; item++, x += height * width * in->channels) {
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
      for (int64_t band = 0; band < bands; band++)
        level.front(*in, height, width, x, own + band * space.band(), plane, projected,
                    height * band / bands, height * (band + 1) / bands);
#pragma omp for schedule(dynamic)
      for (int64_t channel = 0; channel < padded(in->inner); channel += AFX_SCAN_LANES)
        level.scan(*in, height, width, plane, projected, scanned, channel);
#pragma omp for schedule(static)
      for (int64_t band = 0; band < bands; band++)
        level.back(*in, height, width, scanned, x, own + band * space.band() + space.values,
                   height * band / bands, height * (band + 1) / bands);
    }
  }
  return 0;
}

int afx_use_cpu_level(int level) {
  current_level = (int)at_most(at_least(level, 0), highest_level());
  return current_level;
}

int afx_cpu_has_matrix_units(void) {
  static const bool there = matrix_units();
  return there && current_level == 2;
}

int afx_cpu_level() { return current_level; }

const char *afx_cpu_level_name(void) { return LEVELS[current_level]->name; }

const char *afx_message(int status) {
  switch (status) {
    case 0: return "no error";
    case AFX_BAD_SHAPE: return "shape out of range";
    case AFX_BAD_TYPE: return "type not taken";
    default: return "unknown status";
  }
}

int afx_abi_version(void) { return AFX_ABI_VERSION; }

int64_t afx_sizeof(const char *structure) {
  if (!strcmp(structure, "afx_scan_shape")) return sizeof(afx_scan_shape);
  if (!strcmp(structure, "afx_scan_inputs")) return sizeof(afx_scan_inputs);
  if (!strcmp(structure, "afx_scan_gradients")) return sizeof(afx_scan_gradients);
  if (!strcmp(structure, "afx_plane_shape")) return sizeof(afx_plane_shape);
  if (!strcmp(structure, "afx_plane_inputs")) return sizeof(afx_plane_inputs);
  if (!strcmp(structure, "afx_block_weights")) return sizeof(afx_block_weights);
  if (!strcmp(structure, "afx_convolution")) return sizeof(afx_convolution);
  if (!strcmp(structure, "afx_time_stream")) return sizeof(afx_time_stream);
  return -1;
}
