/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that a shell passes to the standard input of a command that reads a password there:
 * `echo X | sudo -S`, `docker login --password-stdin <<< X`. Only mask.c includes this.
 */
#pragma once

#include "base/buffer.h"

/* Masks in place. The text is one script or line. */
void mask_pipes(struct buffer *text);
