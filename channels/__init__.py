# SPDX-License-Identifier: MIT
"""How people reach us: SMS, mail, voice and web, read into and written from one message type."""
