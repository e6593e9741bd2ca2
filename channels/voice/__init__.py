# SPDX-License-Identifier: MIT
"""The voice line."""
