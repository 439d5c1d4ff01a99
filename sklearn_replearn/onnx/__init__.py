"""Fitted estimators as ONNX models, which need no Python where they are used.

Importing this registers converters with skl2onnx: its own ``to_onnx`` knows the estimators of this
package then, alone and in Pipelines. :func:`to_onnx` of this module also takes care of types of
inputs. It needs ``pip install sklearn_replearn[onnx]``.
"""

try:
    import skl2onnx  # noqa: F401
except ImportError as error:
    raise ImportError(
        "sklearn_replearn.onnx needs skl2onnx: pip install 'sklearn_replearn[onnx]'."
    ) from error

from .conversion import to_onnx
from .converters import register
from .inputs import inputs_for

__all__ = ["inputs_for", "to_onnx"]

register()
