# SPDX-License-Identifier: MIT
"""A telephone, a mailbox and a provider in one local process, for demos and tests."""
