# SPDX-License-Identifier: MIT
"""The web form."""
