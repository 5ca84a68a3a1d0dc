// The C interface of the convolution along time: checks shapes, goes through groups of channels,
// and keeps the rows that the next call looks back to.

#include <string.h>

#include "level.h"

namespace {

#if defined(__x86_64__)
ConvolveTime *const LEVELS[] = {afx_convolve_time_baseline, afx_convolve_time_avx2,
                                afx_convolve_time_avx512};
#else
ConvolveTime *const LEVELS[] = {afx_convolve_time_baseline};
#endif

// The last `reach` rows of the history and of what came after it.
void keep_last(const float *history, const float *x, float *kept, int64_t reach, int64_t time,
               int64_t inputs) {
  const int64_t old = time < reach ? reach - time : 0, fresh = reach - old;
  memcpy(kept, history + (reach - old) * inputs, old * inputs * sizeof(float));
  memcpy(kept + old * inputs, x + (time - fresh) * inputs, fresh * inputs * sizeof(float));
}

bool is_good(const afx_convolution &in) {
  return in.groups > 0 && in.inputs > 0 && in.outputs > 0 && in.taps > 0 && in.stride > 0 &&
         in.dilation > 0;
}

// Whether `then` is a pointwise convolution of what `in` makes.
bool follows(const afx_convolution &in, const afx_convolution &then) {
  return is_good(then) && then.groups == in.groups && then.inputs == in.outputs && then.taps == 1 &&
         then.stride == 1;
}

}  // namespace

int64_t afx_convolve_time_workspace_cpu(const afx_convolution *in, int64_t time) {
  const int64_t tile = afx_time_tile(*in, (time + in->stride - 1) / in->stride);
  return afx_tile_inputs(*in, tile) + tile * in->outputs;
}

int afx_convolve_time_cpu(const afx_convolution *in, const afx_convolution *then,
                          const afx_time_stream *stream, int activation, float slope,
                          float *workspace, int64_t time) {
  if (!is_good(*in) || time < 1) return AFX_BAD_SHAPE;
  const int64_t steps = (time + in->stride - 1) / in->stride, reach = afx_reach(*in);
  const int64_t context = (steps - 1) * in->stride + 1 + reach - time;
  if (context < 0 || context > reach || (then && !follows(*in, *then))) return AFX_BAD_SHAPE;
  for (int64_t group = 0; group < in->groups; group++) {
    const int64_t old = group * reach * in->inputs;
    const int64_t made = group * steps * (then ? then->outputs : in->outputs);
    const TimeStream s = {stream->history + old,
                          stream->x + group * stream->x_stride,
                          context,
                          steps,
                          stream->residual ? stream->residual + made : nullptr,
                          stream->out + made};
    LEVELS[afx_cpu_level()](*in, then, group, s, {activation, slope}, workspace);
    keep_last(s.history, s.x, stream->kept + old, reach, time, in->inputs);
  }
  return 0;
}
