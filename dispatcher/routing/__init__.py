# SPDX-License-Identifier: MIT
"""Choosing the administration responsible for a content, with reasons."""
