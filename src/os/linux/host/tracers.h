/* SPDX-License-Identifier: BSD-2-Clause */
/* The tracers on this host: known ones from a table, searched for by file name. None is ever
 * run. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "collect/backend.h"

#define PACKAGE_VERSION_SIZE 64

/* Writes a HOST_TRACER for each; sooth itself is the first. */
void tracers_emit(struct backend_run *run);

/* Finds the version of an installed package in /var/lib/dpkg/status. */
bool package_list_dpkg(struct span *version, struct span package, const void *data, size_t size);
/* Finds the version of an installed package in /lib/apk/db/installed. */
bool package_list_apk(struct span *version, struct span package, const void *data, size_t size);
