# SPDX-License-Identifier: MIT
"""What is known of each case, and what is still to be done for it."""
