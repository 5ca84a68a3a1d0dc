from audiofix.backends.released_files import read_released, tensors_in


def recognise(tensors):
    return "gain" in tensors


def read(parts):
    """Join the halves that the toy was published in."""
    tensors = {}
    for path in parts.values():
        tensors |= tensors_in(read_released(path))
    return {"rate": 16000}, {"gain": tensors["gain"] * tensors.get("more", 1)}
