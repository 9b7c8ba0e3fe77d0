"""anndata opens the example, in memory and backed, and writes it again."""

import sys

# This script has the name of the module.
sys.path.pop(0)

import anndata
import numpy as np
import scipy.sparse

path = sys.argv[1]
X = [[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]]

data = anndata.read_h5ad(path)
assert isinstance(data.X, scipy.sparse.csr_matrix) and data.X.dtype == np.float32, type(data.X)
np.testing.assert_array_equal(data.X.toarray(), X)
assert list(data.obs_names) == ["cell1", "cell2"] and list(data.var_names) == ["ENSG1", "ENSG2", "ENSG3"]
assert list(data.obs.columns) == ["n_counts", "cluster"] and list(data.obs["n_counts"]) == [1.0, 5.0]
assert list(data.obs["cluster"]) == ["B cell", "T cell"] and data.obs["cluster"].dtype == "category"
assert list(data.var["symbol"]) == ["CD19", "CD3E", "ACTB"]
assert list(data[data.obs["cluster"] == "T cell"].X.toarray()[0]) == X[1]

backed = anndata.read_h5ad(path, backed="r")
np.testing.assert_array_equal(backed[1:].to_memory().X.toarray(), X[1:])
backed.file.close()
data.write_h5ad(path)
np.testing.assert_array_equal(anndata.read_h5ad(path).X.toarray(), X)
print("read by anndata", anndata.__version__)
