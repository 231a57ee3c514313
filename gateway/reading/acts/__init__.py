"""The second reader: what each sentence of a mail does.

Its sums are small: one thread does them as fast as two, and threads of several processes wait for each other, spinning,
where there are more of them than processors.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded
