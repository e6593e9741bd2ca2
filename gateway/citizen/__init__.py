# SPDX-License-Identifier: MIT
"""The citizen's pages: ways in, form, confirmation, tracking."""
