/* SPDX-License-Identifier: BSD-2-Clause */
/* A server of the Model Context Protocol over two descriptors. */
#pragma once

#include "base/error.h"

/* Serves until the input ends or the output has no reader. */
int mcp_serve(int in, int out, struct sooth_error *err);
