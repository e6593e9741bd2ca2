# SPDX-License-Identifier: MIT
"""Who is responsible for a complaint, and what is said to whom."""
