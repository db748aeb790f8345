/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct kinfo_file of FreeBSD 12 and later, the answer of the sysctl kern.proc.filedesc
 * (sys/user.h): records of their own length one behind the other, a path at the end of each.
 */
#ifndef SOOTH_OS_FREEBSD_KINFO_FILE_H
#define SOOTH_OS_FREEBSD_KINFO_FILE_H

#include "os/bsd/source.h"

/* The next record; false at the end, or when the rest is none (the cursor has failed then). */
bool kinfo_file_next(struct bsd_descriptor *out, struct cursor *c);

#endif
