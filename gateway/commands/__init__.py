# SPDX-License-Identifier: MIT
"""The commands of `guichet`, one file a group."""
