"""Keras loads the example into a model of the shape that it says."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

layers = keras.layers
model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="hidden"), layers.Dense(2, name="output")])
model.load_weights(sys.argv[1])
kernels = [np.arange(12).reshape(3, 4) * 0.5, np.arange(8).reshape(4, 2) * 0.5]
biases = [np.ones(4), np.zeros(2)]
for layer, kernel, bias in zip(model.layers, kernels, biases, strict=True):
    found = layer.get_weights()
    np.testing.assert_array_equal(found[0], kernel)
    np.testing.assert_array_equal(found[1], bias)
given = np.array([[1.0, -2.0, 0.5]])
expected = (given @ kernels[0] + biases[0]) @ kernels[1] + biases[1]
np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-6)
print("read by keras", keras.__version__)
