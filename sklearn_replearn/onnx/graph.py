"""Nodes and constants, written into the model that skl2onnx makes."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A graph that grows, node by node; values are known by their names.

    Parameters
    ----------
    scope, container
        As skl2onnx gives them to a converter.
    """

    def __init__(self, scope, container):
        self._scope, self._container, self._constants = scope, container, {}

    def node(self, kind, *inputs, **attributes):
        """Name of what a node of this kind gives.

        Parameters
        ----------
        kind : str
        *inputs : str or ndarray
            Names, or constants.
        **attributes
        """
        return self.nodes(kind, 1, *inputs, **attributes)[0]

    def nodes(self, kind, n_outputs, *inputs, names=None, domain="", **attributes):
        """Names of what a node gives that gives several."""
        if names is None:
            names = [self._scope.get_unique_variable_name(kind) for _ in range(n_outputs)]
        self._container.add_node(
            kind,
            [value if isinstance(value, str) else self.constant(value) for value in inputs],
            names,
            op_domain=domain,
            name=self._scope.get_unique_operator_name(kind),
            **attributes,
        )
        return names

    def constant(self, values):
        """Name of a constant, one for all that are the same."""
        values = np.array(values, order="C")
        is_text = values.dtype == object
        key = values.shape, *(values.ravel() if is_text else (values.dtype.str, values.tobytes()))
        if key not in self._constants:
            name = self._constants[key] = self._scope.get_unique_variable_name("constant")
            if is_text:
                texts = [text.encode() for text in values.ravel()]
                self._container.add_initializer(name, TensorProto.STRING, values.shape, texts)
            else:
                tensor = numpy_helper.from_array(values, name)
                self._container.add_initializer(name, tensor.data_type, values.shape, tensor)
        return self._constants[key]

    def cast(self, name, dtype):
        """The same values in another dtype."""
        return self.node("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def give(self, name, variable, dtype=None):
        """Say that a value is what an operator of skl2onnx gives as this variable."""
        if dtype is None:
            self.nodes("Identity", 1, name, names=[variable.full_name])
        else:
            to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            self.nodes("Cast", 1, name, names=[variable.full_name], to=to)
