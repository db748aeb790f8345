/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/container.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * Control group paths of the runtimes, by the cgroupfs and by the systemd driver:
 *   docker: /docker/ID, /system.slice/docker-ID.scope
 *   podman: /libpod_parent/libpod-ID, /machine.slice/libpod-ID.scope
 *   containerd: /NAMESPACE/ID (nothing marks it as a container: left out)
 *   Kubernetes: /kubepods/burstable/podUID/ID, /kubepods.slice/.../cri-containerd-ID.scope
 *   CRI-O: .../crio-ID.scope
 *   lxc: /lxc/NAME, /lxc.payload/NAME, /lxc.payload.NAME
 *
 * Not visible: from inside a container with its own control group namespace the path is "/".
 */

#define ID_LEAST    12 /* least hexadecimal digits of an id; whole ids have 64 */
#define ID_SHOWN    12
#define NAME_SHOWN  40
#define PARTS_MAX   64 /* most components of a path; deeper paths are not checked */
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

static bool is_container_id(struct span s)
{
	if (s.size < ID_LEAST)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		if (!isxdigit((unsigned char)s.data[i]))
			return false;
	}
	return true;
}

static struct span strip_affixes(struct span s, const char *prefix, const char *suffix)
{
	if (!span_starts(s, prefix))
		return span_of("", 0);
	s.data += strlen(prefix);
	s.size -= strlen(prefix);
	if (span_ends(s, suffix))
		s.size -= strlen(suffix);
	return s;
}

/* The name may be anything. */
static bool put_container(
	struct container *out, const char *runtime, struct span name, size_t shown)
{
	if (!name.size)
		return false;
	*out = (struct container){ .runtime = runtime, .id = name, .shown = shown };
	return true;
}

static bool is_pod_name(struct span part)
{
	return span_starts(part, "kubepods");
}

/* Recognizes a container by one component of a control group's path, and by the component above
 * it. */
static bool emit_part(struct span part, struct span above, bool in_pod, struct container *out)
{
	struct span name;

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		name = strip_affixes(part, scopes[i].prefix, SCOPE);
		if (is_container_id(name))
			return put_container(
				out, in_pod ? "kubernetes" : scopes[i].runtime, name, ID_SHOWN);
	}
	if (span_equal(above, "docker") && is_container_id(part))
		return put_container(out, "docker", part, ID_SHOWN);
	if (in_pod && span_starts(above, POD) && is_container_id(part))
		return put_container(out, "kubernetes", part, ID_SHOWN);
	if (span_equal(above, "lxc") || span_equal(above, LXC_PAYLOAD))
		return put_container(out, "lxc", part, NAME_SHOWN);
	name = strip_affixes(part, LXC_PAYLOAD ".", "");
	return put_container(out, "lxc", name, NAME_SHOWN);
}

bool container_in_group(struct container *out, struct span control_group)
{
	struct cursor c = cursor_over(control_group.data, control_group.size);
	struct span above = span_of("", 0);
	bool in_pod = false, is_found = false;

	assert(out);
	/* The innermost container counts: one may run in another. */
	for (size_t i = 0; i < PARTS_MAX && !cursor_at_end(&c); i++) {
		struct span part = cursor_until(&c, '/');

		in_pod |= is_pod_name(part);
		is_found |= emit_part(part, above, in_pod, out);
		above = part;
	}
	return is_found;
}

bool container_of_group(struct span control_group, char out[CONTAINER_SIZE])
{
	struct container c;

	if (!container_in_group(&c, control_group))
		return false;
	snprintf(out, CONTAINER_SIZE, "%s %.*s", c.runtime,
		(int)(c.id.size < c.shown ? c.id.size : c.shown), c.id.data);
	return true;
}

/* --- monitors --- */

static const struct {
	const char *program; /* begin of the name of its file */
	const char *id, *label;
} monitors[] = {
	{ "conmon", "-c", "-n" },
	{ "containerd-shim", "-id", NULL },
};

bool container_of_monitor(struct container *out, struct span executable, struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span name = path_base(executable), before = span_of("", 0);
	size_t m = 0;

	assert(out);
	*out = (struct container){ .id = span_of("", 0), .label = span_of("", 0) };
	while (m < ARRAY_SIZE(monitors) && !span_starts(name, monitors[m].program))
		m++;
	while (m < ARRAY_SIZE(monitors) && !cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');

		if (span_equal(before, monitors[m].id) && is_container_id(word))
			out->id = word;
		else if (monitors[m].label && span_equal(before, monitors[m].label))
			out->label = word;
		before = word;
	}
	return out->id.size != 0;
}
