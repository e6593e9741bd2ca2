# SPDX-License-Identifier: MIT
"""Doors that providers post to: webhooks and receipts."""
