/* SPDX-License-Identifier: BSD-2-Clause */
/* struct kinfo_lockf, the answer of the sysctl kern.lockf: locks on files that are held. */
#pragma once

#include "os/bsd/source.h"

/* Decodes the next lock. False: the end, or (then the cursor has failed) a cut record. */
bool kinfo_lockf_next(struct bsd_file_lock *out, struct cursor *c);
