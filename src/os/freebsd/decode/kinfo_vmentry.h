/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct kinfo_vmentry of FreeBSD, the answer of the sysctl kern.proc.vmmap (sys/user.h): records
 * of different lengths, one after another, each with a path at its end.
 */
#pragma once

#include "os/bsd/source.h"

bool kinfo_vmentry_next(struct bsd_mapping *out, struct cursor *c, uint32_t page_bytes);
