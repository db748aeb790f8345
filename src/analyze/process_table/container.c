/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtimes make, by the cgroupfs and by the systemd driver:
 *   docker: /docker/ID, /system.slice/docker-ID.scope
 *   podman: /libpod_parent/libpod-ID, /machine.slice/libpod-ID.scope
 *   containerd: /NAMESPACE/ID (nothing marks it as a container: left out)
 *   Kubernetes: /kubepods/burstable/podUID/ID, /kubepods.slice/.../cri-containerd-ID.scope
 *   CRI-O: .../crio-ID.scope
 *   lxc: /lxc/NAME, /lxc.payload/NAME, /lxc.payload.NAME
 *
 * Not visible: from inside a container with its own control group namespace the path is "/".
 */
#include "analyze/process_table/container.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ID_LEAST    12 /* hexadecimal digits; full ones have 64 */
#define ID_SHOWN    12
#define NAME_SHOWN  40
#define PARTS_MAX   64 /* of a path; deeper ones are not looked at */
#define SCOPE	    ".scope"
#define POD	    "pod"
#define LXC_PAYLOAD "lxc.payload"

static const struct {
	const char *prefix, *runtime;
} scopes[] = {
	{ "docker-", "docker" },
	{ "libpod-", "podman" },
	{ "cri-containerd-", "containerd" },
	{ "nerdctl-", "containerd" },
	{ "crio-", "cri-o" },
};

static bool is_id(struct span s)
{
	if (s.size < ID_LEAST)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		if (!isxdigit((unsigned char)s.data[i]))
			return false;
	}
	return true;
}

static struct span without(struct span s, const char *prefix, const char *suffix)
{
	if (!span_starts(s, prefix))
		return span_of("", 0);
	s.data += strlen(prefix);
	s.size -= strlen(prefix);
	if (span_ends(s, suffix))
		s.size -= strlen(suffix);
	return s;
}

/* The container's creator chooses the name. */
static bool say(char out[CONTAINER_SIZE], const char *runtime, struct span name, size_t most)
{
	if (!name.size)
		return false;
	snprintf(out, CONTAINER_SIZE, "%s %.*s", runtime,
		(int)(name.size < most ? name.size : most), name.data);
	return true;
}

static bool is_pod(struct span part)
{
	return span_starts(part, "kubepods");
}

/* One component of the path, and the one above it. */
static bool emit_part(struct span part, struct span above, bool in_pod, char out[CONTAINER_SIZE])
{
	struct span name;

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		name = without(part, scopes[i].prefix, SCOPE);
		if (is_id(name))
			return say(out, in_pod ? "kubernetes" : scopes[i].runtime, name, ID_SHOWN);
	}
	if (span_equal(above, "docker") && is_id(part))
		return say(out, "docker", part, ID_SHOWN);
	if (in_pod && span_starts(above, POD) && is_id(part))
		return say(out, "kubernetes", part, ID_SHOWN);
	if (span_equal(above, "lxc") || span_equal(above, LXC_PAYLOAD))
		return say(out, "lxc", part, NAME_SHOWN);
	name = without(part, LXC_PAYLOAD ".", "");
	return say(out, "lxc", name, NAME_SHOWN);
}

bool container_of_group(struct span control_group, char out[CONTAINER_SIZE])
{
	struct cursor c = cursor_over(control_group.data, control_group.size);
	struct span above = span_of("", 0);
	bool in_pod = false, is_found = false;

	/* The innermost one counts: a container may run in another. */
	for (size_t i = 0; i < PARTS_MAX && !cursor_at_end(&c); i++) {
		struct span part = cursor_until(&c, '/');

		in_pod |= is_pod(part);
		is_found |= emit_part(part, above, in_pod, out);
		above = part;
	}
	return is_found;
}
