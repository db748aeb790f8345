# SPDX-License-Identifier: BSD-2-Clause
"""Real agents for tests: installed when asked for, answered by a server of ours, cut off from any
network."""
