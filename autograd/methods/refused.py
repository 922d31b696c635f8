"""The attributes of ndarrays that Tensors do not have: each says where to find it."""

from __future__ import annotations


class Refused:
    """Not offered: use the ndarray's. (A ``__getattr__`` would slow down every attribute of a Tensor.)"""

    __slots__ = ("name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Refused:
        if instance is None:
            return self
        raise AttributeError(f"Tensor.{self.name}: is an ndarray's, not a Tensor's; use t.detach().numpy().{self.name}")


class RefusedMethods:
    """What only makes sense for plain memory, or would change it behind the graph's back."""

    __slots__ = ()

    argpartition = Refused()
    base = Refused()
    byteswap = Refused()
    choose = Refused()
    compress = Refused()
    ctypes = Refused()
    dump = Refused()
    dumps = Refused()
    fill = Refused()
    flags = Refused()
    flat = Refused()
    getfield = Refused()
    imag = Refused()
    real = Refused()
    resize = Refused()
    setfield = Refused()
    setflags = Refused()
    strides = Refused()
    to_device = Refused()
    tobytes = Refused()
    tofile = Refused()
