# SPDX-License-Identifier: MIT
"""From what was said to the canonical record."""
