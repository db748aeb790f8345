/* SPDX-License-Identifier: BSD-2-Clause */
/* Mounts on which a call of this program hangs (timeout.h). A process that waits there cannot be
 * killed, so no second one makes such a call: neither for the same process, nor for another process
 * whose working directory, executable, root or standard streams are on that mount. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend_run;

#define HUNG_KEYS_MAX 13 /* keys of a request: one of the process, and two for each link */

/* The process and the mounts on which a call about an open /proc/PID may hang. Other descriptors
 * have no keys. */
struct hung_keys {
	size_t count;
	uint64_t keys[HUNG_KEYS_MAX];
};

/* Returns whether a call for the same files hangs already. `about` is /proc/PID of the process they
 * belong to; -1: no files are known. */
bool hung_mounts_hold(int about);
/* Notes that a call about these files hangs, until hung_mounts_remove(). */
void hung_mounts_add(int about, struct hung_keys *keys);
void hung_mounts_remove(const struct hung_keys *keys);
/* Does the same as hung_mounts_hold() by the id of a mount (/proc/PID/fdinfo), for the rest of the
 * run. */
bool hung_mounts_hold_id(uint32_t id);
void hung_mounts_add_id(uint32_t id);
/* Reports once which mount does not answer. */
void hung_mounts_report(struct backend_run *run, bool *is_done);
