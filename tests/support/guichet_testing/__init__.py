# SPDX-License-Identifier: MIT
"""What several tests share: real servers as children, and the account of what was not run.

It is a package of its own name, found through `pythonpath` in pyproject.toml, because `tests`
cannot be imported safely: packages on PyPI install a top-level `tests` of theirs.
"""
