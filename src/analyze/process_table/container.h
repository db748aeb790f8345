/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which container a process runs, as the path of its control group tells: docker,
 * podman, containerd, a Kubernetes pod, lxc. A host's own slices are none.
 */
#ifndef SOOTH_ANALYZE_CONTAINER_H
#define SOOTH_ANALYZE_CONTAINER_H

#include "base/cursor.h"

#define CONTAINER_SIZE 80 /* a runtime and a name, or an id shortened as its tools do */

/* "docker 0123456789ab"; false: none that is known. */
bool container_of_group(struct span control_group, char out[CONTAINER_SIZE]);

#endif
