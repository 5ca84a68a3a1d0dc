"""The structures of `kernels/include/audiofix_kernels.h`, for ctypes; tests compare sizes."""

import ctypes


class ScanShape(ctypes.Structure):
    """`afx_scan_shape`."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("batch", "channels", "length", "state", "groups", "reversed_groups")
    ]


class ScanInputs(ctypes.Structure):
    """`afx_scan_inputs`."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("u", "delta", "A", "B", "C", "D", "delta_bias")),
        ("softplus", ctypes.c_int32),
        ("type", ctypes.c_int32),
    ]


class ScanGradients(ctypes.Structure):
    """`afx_scan_gradients`."""

    _fields_ = [
        (name, ctypes.c_void_p) for name in ("u", "delta", "A", "B", "C", "D", "delta_bias")
    ]


class PlaneShape(ctypes.Structure):
    """`afx_plane_shape`."""

    _fields_ = [
        (name, ctypes.c_int64) for name in ("batch", "channels", "height", "width", "state", "rank")
    ]


class PlaneInputs(ctypes.Structure):
    """`afx_plane_inputs`."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("plane", "projected", "step_weight", "step_bias", "A", "D")
    ]


class BlockWeights(ctypes.Structure):
    """`afx_block_weights`."""

    TENSORS = (
        *("norm_weight", "norm_bias", "values", "gate", "convolution", "convolution_bias"),
        *("projection", "step_weight", "step_bias", "A", "D", "out_norm_weight", "out_norm_bias"),
        *("out", "norm2_weight", "norm2_bias", "first", "first_bias", "second", "second_bias"),
    )
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("channels", "inner", "hidden", "rank")),
        ("epsilon", ctypes.c_float),
        ("bfloat16", ctypes.c_int32),
        *((name, ctypes.c_void_p) for name in TENSORS),
    ]


class Convolution(ctypes.Structure):
    """`afx_convolution`."""

    _fields_ = [
        *((n, ctypes.c_int64) for n in ("groups", "inputs", "outputs", "taps", "stride")),
        ("dilation", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("weight", "bias")),
    ]


class TimeStream(ctypes.Structure):
    """`afx_time_stream`."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("history", "x")),
        ("x_stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("residual", "out", "kept")),
    ]
