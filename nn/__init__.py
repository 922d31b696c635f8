"""Neural networks: modules, layers, losses, initialisers, data and files."""

from nn import data, functional, init, plot, serialization, utils
from nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from nn.attention import (
    MultiheadAttention,
)
from nn.containers import (
    Flatten,
    Identity,
    ModuleDict,
    ModuleList,
    Residual,
    Sequential,
    Unflatten,
)
from nn.convolution import (
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    LazyConv2d,
)
from nn.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
)
from nn.embedding import (
    Embedding,
)
from nn.image import (
    ConstantPad2d,
    Fold,
    PixelShuffle,
    ReflectionPad2d,
    Unfold,
    Upsample,
    ZeroPad2d,
)
from nn.linear import (
    Bilinear,
    LazyLinear,
    Linear,
)
from nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    TripletMarginLoss,
)
from nn.module import (
    Module,
)
from nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    LayerNorm,
    RMSNorm,
)
from nn.parameter import (
    Buffer,
    Parameter,
    UninitializedParameter,
)
from nn.parameter_containers import (
    ParameterDict,
    ParameterList,
)
from nn.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from nn.position import (
    RotaryEncoding,
    SinusoidalEncoding,
)
from nn.recorder import Recorder
from nn.recurrent import (
    GRU,
    LSTM,
    RNN,
)
from nn.recurrent_cells import (
    GRUCell,
    LSTMCell,
    RNNCell,
)
from nn.serialization import (
    CheckpointError,
    load,
    save,
)
from nn.similarity import (
    CosineSimilarity,
    PairwiseDistance,
)
from nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    # modules
    "data",
    "functional",
    "init",
    "plot",
    "serialization",
    "utils",
    # activation
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "Sigmoid",
    "SiLU",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    # attention
    "MultiheadAttention",
    # containers
    "Flatten",
    "Identity",
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "Residual",
    "Sequential",
    "Unflatten",
    # convolution
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "LazyConv2d",
    # dropout
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    # embedding
    "Embedding",
    # image
    "ConstantPad2d",
    "Fold",
    "PixelShuffle",
    "ReflectionPad2d",
    "Unfold",
    "Upsample",
    "ZeroPad2d",
    # linear
    "Bilinear",
    "LazyLinear",
    "Linear",
    # loss
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MarginRankingLoss",
    "MSELoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "TripletMarginLoss",
    # module
    "Module",
    # normalization
    "BatchNorm1d",
    "BatchNorm2d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "LayerNorm",
    "RMSNorm",
    # parameter
    "Buffer",
    "Parameter",
    "UninitializedParameter",
    # pooling
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
    # position
    "RotaryEncoding",
    "SinusoidalEncoding",
    # recorder
    "Recorder",
    # recurrent
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "RNNCell",
    # serialization
    "CheckpointError",
    "load",
    "save",
    # similarity
    "CosineSimilarity",
    "PairwiseDistance",
    # transformer
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]
