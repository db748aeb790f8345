/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct kinfo_file of FreeBSD 12 and later, the answer of the sysctl kern.proc.filedesc
 * (sys/user.h): records of different lengths, one after another, each with a path at its end.
 */
#pragma once

#include "os/bsd/source.h"

/* Decodes the next record. False: the end, or (then the cursor has failed) a broken record. */
bool kinfo_file_next(struct bsd_descriptor *out, struct cursor *c);
