# SPDX-License-Identifier: MIT
"""The ways a case reaches an administration."""
