# SPDX-License-Identifier: MIT
"""The administrations' desk."""
