# SPDX-License-Identifier: MIT
"""Email."""
