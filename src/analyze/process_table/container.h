/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container of a process: by the path of its control group (docker, podman, containerd, a
 * Kubernetes pod, lxc; slices of the host are no containers), or by the process of the engine that
 * started it.
 */
#pragma once

#include "base/cursor.h"

#define CONTAINER_SIZE 80 /* runtime, and the name or the shortened id */

struct container {
	const char *runtime;
	struct span id;	   /* of lxc: the name */
	struct span label; /* the name; empty: unknown */
	size_t shown;	   /* characters of the id that are shown */
};

/* False: no known container. */
bool container_in_group(struct container *out, struct span control_group);
/* Writes the container of a control group: "docker 0123456789ab"; false: no known container. */
bool container_of_group(struct span control_group, char out[CONTAINER_SIZE]);
/* Finds the container that a process of an engine (conmon, containerd-shim) serves, by its
 * NUL-separated arguments. Its children are the processes of the container. */
bool container_of_monitor(struct container *out, struct span executable, struct span arguments);
