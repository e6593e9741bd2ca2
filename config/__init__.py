# SPDX-License-Identifier: MIT
"""Settings, and the data that an operator edits: administrations, rules, wording, the country."""
