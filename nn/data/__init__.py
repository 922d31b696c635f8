"""Samples in batches: datasets, splits, loaders, files of data and scaling."""

from nn.data.datasets import (
    Dataset,
    Subset,
    TensorDataset,
    batch_of,
    default_collate,
    random_split,
)
from nn.data.files import (
    load_csv,
    load_idx,
    load_npz,
)
from nn.data.loader import (
    DataLoader,
    minibatches,
)
from nn.data.scaling import (
    MinMaxScaler,
    StandardScaler,
)
from nn.formats.errors import FileFormatError

__all__ = [
    # datasets
    "Dataset",
    "Subset",
    "TensorDataset",
    "batch_of",
    "default_collate",
    "random_split",
    # files
    "FileFormatError",
    "load_csv",
    "load_idx",
    "load_npz",
    # loader
    "DataLoader",
    "minibatches",
    # scaling
    "MinMaxScaler",
    "StandardScaler",
]
