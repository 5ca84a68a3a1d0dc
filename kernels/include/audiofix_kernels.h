/* The C interface of the audiofix kernels. Python mirrors these structures in
   audiofix/ops/structures.py; a test compares their sizes.

   All arrays are contiguous, last axis fastest, and outputs overlap nothing.
   Functions return 0, a negative AFX_* code, or a positive cudaError_t. Nothing
   here allocates, prints or throws; workspaces come from the caller. */
#ifndef AUDIOFIX_KERNELS_H
#define AUDIOFIX_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AFX_ABI_VERSION 6
#define AFX_API __attribute__((visibility("default")))

enum { AFX_BAD_SHAPE = -1, AFX_BAD_TYPE = -2 };
enum { AFX_FLOAT32 = 0, AFX_FLOAT16 = 1, AFX_BFLOAT16 = 2 };

/* Steps between two stored states, the unit in which time is walked. */
enum { AFX_CPU_TILE = 512, AFX_CUDA_TILE = 2048, AFX_MAX_STATE = 256 };

/* Routes through a plane, and the tallest plane: a column's states lie on the stack. */
enum { AFX_ROUTES = 4, AFX_MAX_HEIGHT = 1536 };

/* Of a fused block: outputs of a packed product side by side, channels that a unit of the scan
   walks, and the most channels outside and inside and factors of the step that it takes. */
enum { AFX_PANEL = 16, AFX_SCAN_LANES = 16 };
enum { AFX_MAX_BLOCK = 256, AFX_MAX_INNER = 512, AFX_MAX_RANK = 16 };

/* The most inputs of a product in bfloat16. */
enum { AFX_MAX_DEPTH = 2048 };

/* Of a convolution along time: outputs that lie side by side in its packed weight, and what its
   inputs pass through. */
enum { AFX_CONVOLUTION_PANEL = 32 };
enum { AFX_NO_ACTIVATION = 0, AFX_ELU = 1, AFX_LEAKY_RELU = 2 };

typedef struct {
  int64_t batch, channels, length, state, groups;
  int64_t reversed_groups; /* the last so many groups run from the end of time */
} afx_scan_shape;

typedef struct {
  const void *u, *delta;   /* [batch, channels, length], of `type` */
  const float *A;          /* [channels, state] */
  const void *B, *C;       /* [batch, groups, state, length], of `type` */
  const float *D;          /* [channels], or null: no skip */
  const float *delta_bias; /* [channels], or null: no bias */
  int32_t softplus;        /* whether the step is softplus(delta + bias) */
  int32_t type;            /* AFX_FLOAT32, ...; the CPU takes AFX_FLOAT32 only */
} afx_scan_inputs;

typedef struct {
  void *u, *delta;   /* [batch, channels, length], of the inputs' type */
  float *A;          /* [channels, state] */
  float *B, *C;      /* [batch, groups, state, length] */
  float *D;          /* [channels], or null */
  float *delta_bias; /* [channels], or null */
} afx_scan_gradients;

typedef struct {
  int64_t batch, channels, height, width, state, rank;
} afx_plane_shape;

typedef struct {
  const float *plane;       /* [batch, channels, height, width] */
  const float *projected;   /* [batch, 4, rank + 2 state, height, width]: step's factors, B, C */
  const float *step_weight; /* [4, channels, rank] */
  const float *step_bias;   /* [4, channels] */
  const float *A;           /* [4, channels, state] */
  const float *D;           /* [4, channels] */
} afx_plane_inputs;

/* The weights of a visual state-space block of one state a channel. `inner` and `hidden` are padded
   to a multiple of AFX_PANEL with zeros in every array below, written ~. A packed weight of N
   outputs and K inputs lies as [~N / AFX_PANEL, K, AFX_PANEL]; in bfloat16 as pairs of inputs,
   [~N / AFX_PANEL, K / 2, AFX_PANEL, 2], K padded with zeros to a multiple of 32. Steps are in
   powers of two: step_weight and step_bias come times log2 e, and the rows of B in `projection`
   times ln 2. */
typedef struct {
  int64_t channels, inner, hidden, rank;
  float epsilon;                        /* of the norms */
  int32_t bfloat16;                     /* whether packed weights are; for matrix units */
  const float *norm_weight, *norm_bias; /* [channels], or null: no norms outside */
  const float *values, *gate;           /* packed, inner of channels */
  const float *convolution;             /* [9, ~inner], rows of the filter first */
  const float *convolution_bias;        /* [~inner] */
  const float *projection;              /* packed, 4 (rank + 2) of inner: step's factors, B, C */
  const float *step_weight;             /* [4, rank, ~inner] */
  const float *step_bias, *A;           /* [4, ~inner] */
  const float *D;                       /* [~inner], summed over the routes */
  const float *out_norm_weight, *out_norm_bias; /* [inner] */
  const float *out;                             /* packed, channels of inner */
  const float *norm2_weight, *norm2_bias;       /* [channels] */
  const float *first, *first_bias;              /* packed, hidden of channels; [~hidden] */
  const float *second, *second_bias;            /* packed, channels of hidden; [~channels] */
} afx_block_weights;

/* A convolution along time that sees the past only, its channels in independent groups; sizes are
   those of one group. Padded outputs, written ~, are a multiple of AFX_CONVOLUTION_PANEL. */
typedef struct {
  int64_t groups, inputs, outputs, taps, stride, dilation;
  const float *weight; /* [groups, ~outputs / PANEL, taps, inputs, PANEL] */
  const float *bias;   /* [groups, ~outputs], or null */
} afx_convolution;

typedef struct {
  const float *history;  /* [groups, (taps - 1) dilation, inputs], what came before x */
  const float *x;        /* [groups, time, inputs] */
  int64_t x_stride;      /* floats from group to group of x */
  const float *residual; /* added, of the shape of out; or null */
  float *out;            /* [groups, steps, outputs of the last convolution] */
  float *kept;           /* the history that goes with the next call */
} afx_time_stream;

/* checkpoints: [batch, channels, ceil(length / tile), state], the state before each
   tile; null where no gradient will be asked for. */
AFX_API int afx_selective_scan_forward_cpu(const afx_scan_inputs *in, float *out,
                                           float *checkpoints, afx_scan_shape shape, int threads);
AFX_API int64_t afx_selective_scan_workspace_cpu(afx_scan_shape shape); /* in floats */
AFX_API int afx_selective_scan_backward_cpu(const afx_scan_inputs *in, const float *dout,
                                            const float *checkpoints,
                                            const afx_scan_gradients *gradients, float *workspace,
                                            afx_scan_shape shape, int threads);

/* The sum of four selective scans of a plane: along its rows, along its columns, and both from
   their ends. The step is softplus(bias + weight . factors). No gradient.
   out: [batch, channels, height, width]. */
AFX_API int afx_plane_scan_cpu(const afx_plane_inputs *in, float *out, afx_plane_shape shape,
                               int threads);

/* silu of a 3 x 3 convolution of each channel by itself, zeros around. plane: items `stride` floats
   apart; weight: [channels, 3, 3]; out: [batch, channels, height, width]. */
AFX_API int afx_convolve_cpu(const float *plane, int64_t stride, const float *weight,
                             const float *bias, float *out, int64_t batch, int64_t channels,
                             int64_t height, int64_t width, int threads);

/* Layer norm over the channels of [places, channels]; out may be x. */
AFX_API int afx_norm_cpu(const float *x, const float *weight, const float *bias, float epsilon,
                         float *out, int64_t channels, int64_t places, int threads);

/* Layer norm over channels, times silu(gate). x and out: [batch, channels, places], gate too, but
   its items lie `gate_stride` floats apart. out may be x. */
AFX_API int afx_norm_gate_cpu(const float *x, const float *gate, int64_t gate_stride,
                              const float *weight, const float *bias, float epsilon, float *out,
                              int64_t batch, int64_t channels, int64_t places, int threads);

/* Whether products in bfloat16 have units of their own here, at the level in use. */
AFX_API int afx_cpu_has_matrix_units(void);

/* A visual state-space block in place, x: [batch, height, width, channels]. No gradient. */
AFX_API int64_t afx_block_workspace_cpu(const afx_block_weights *in, int64_t height, int64_t width,
                                        int threads); /* in floats */
AFX_API int afx_block_cpu(const afx_block_weights *in, float *x, float *workspace, int64_t batch,
                          int64_t height, int64_t width, int threads);

/* weight . x + bias, or its GELU, of every place of x: [batch, inputs, places]; weight: [outputs,
   inputs]; bias: [outputs] or null; out: [batch, outputs, places]. For few inputs and outputs. */
AFX_API int afx_project_cpu(const float *x, const float *weight, const float *bias, int gelu,
                            float *out, int64_t batch, int64_t inputs, int64_t outputs,
                            int64_t places, int threads);

/* The next ceil(time / stride) steps of a stream; the last input ends a stride. x passes the
   activation first; `then`, or null, is a pointwise convolution that follows, after the same
   activation. One thread. */
AFX_API int64_t afx_convolve_time_workspace_cpu(const afx_convolution *in,
                                                int64_t time); /* in floats */
AFX_API int afx_convolve_time_cpu(const afx_convolution *in, const afx_convolution *then,
                                  const afx_time_stream *stream, int activation, float slope,
                                  float *workspace, int64_t time);

/* Which instructions the CPU twin uses: "avx512", "avx2" or "baseline". A level above what
   the processor has is lowered; the new level is returned. Level 0 is baseline. */
AFX_API int afx_use_cpu_level(int level);
AFX_API const char *afx_cpu_level_name(void);

/* The same on the device of `stream`; enqueued, not waited for. */
AFX_API int64_t afx_selective_scan_forward_workspace_cuda(afx_scan_shape shape); /* in floats */
AFX_API int afx_selective_scan_forward_cuda(const afx_scan_inputs *in, void *out,
                                            float *checkpoints, float *workspace,
                                            afx_scan_shape shape, void *stream);
AFX_API int64_t afx_selective_scan_workspace_cuda(afx_scan_shape shape); /* in floats */
AFX_API int afx_selective_scan_backward_cuda(const afx_scan_inputs *in, const void *dout,
                                             const float *checkpoints,
                                             const afx_scan_gradients *gradients, float *workspace,
                                             afx_scan_shape shape, void *stream);

AFX_API const char *afx_message(int status);
AFX_API int afx_abi_version(void);
AFX_API int64_t afx_sizeof(const char *structure); /* -1 for a name not known */

#ifdef __cplusplus
}
#endif
#endif
