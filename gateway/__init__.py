# SPDX-License-Identifier: MIT
"""The front doors, the wiring and the processes."""
