/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container of a process, from the path of its control group: docker, podman, containerd, a
 * Kubernetes pod, lxc. Slices of the host are not containers.
 */
#ifndef SOOTH_ANALYZE_CONTAINER_H
#define SOOTH_ANALYZE_CONTAINER_H

#include "base/cursor.h"

#define CONTAINER_SIZE                                                                             \
	80 /* runtime and name, or the id shortened as the runtime's tools shorten it */

/* "docker 0123456789ab"; false: no known container. */
bool container_of_group(struct span control_group, char out[CONTAINER_SIZE]);

#endif
