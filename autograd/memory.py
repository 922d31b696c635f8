"""What happens to the memory of large arrays when they are freed.

A training step makes the same large arrays again and again. The C library hands their memory back to the system as soon as they
are freed, and the next one is paid for in page faults, 4 kB at a time: that can take longer than the arithmetic on it.
"""

from __future__ import annotations

import numpy as np

_LARGEST = 31 << 20  # bytes: the GNU library's rule knows no larger threshold than 32 MB


def keep_freed_memory() -> None:
    """Makes the allocator keep up to some 64 MB that were freed, for the arrays that come next.

    The GNU C library takes the largest block that was ever freed (of at most 32 MB) as the size from which on blocks are mapped
    one by one, and twice that as how much free memory it keeps. So one such block is made and freed: nothing is ever
    written to it, so it costs no memory. A convolution with its backward pass takes half of the time
    (``python -m benchmarks.choices``). Other allocators do not notice.
    """
    np.empty(_LARGEST, np.uint8)
