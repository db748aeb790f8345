/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events that forks inherit, as a prober. */
#include "os/linux/uprobes/prober.h"
#include "os/linux/uprobes/uprobes.h"

static int tracefs_prober_open(void **out, const struct log *log, struct sooth_error *err)
{
	struct uprobes *u = NULL;
	int status = uprobes_open(&u, log, err);

	*out = u;
	return status;
}

static int tracefs_prober_define(void *prober, const struct prober_place *places, size_t count,
	bool is_return, int program, unsigned *event, size_t *refused, struct sooth_error *err)
{
	return uprobes_define(prober, places, count, is_return, program, event, refused, err);
}

static int tracefs_prober_attach(
	void *prober, unsigned event, pid_t pid, pid_t tid, struct sooth_error *err)
{
	int status = uprobes_attach(prober, event, tid, err);

	(void)pid;
	return status ? status : 1;
}

static int tracefs_prober_keep(void *prober, unsigned event, pid_t pid, struct sooth_error *err)
{
	return uprobes_keep_breakpoints(prober, event, pid, err);
}

static void tracefs_prober_release(void *prober, pid_t pid)
{
	uprobes_release(prober, pid);
}

static size_t tracefs_prober_descriptors(const void *prober)
{
	return prober ? uprobes_descriptors(prober) : 0;
}

static void tracefs_prober_detach(void *prober)
{
	uprobes_detach(prober);
}

static void tracefs_prober_close(void *prober, uint64_t *detach_ns)
{
	uprobes_close(prober, detach_ns);
}

const struct prober_type prober_tracefs = {
	.is_inherited = true,
	.open = tracefs_prober_open,
	.define = tracefs_prober_define,
	.attach = tracefs_prober_attach,
	.keep = tracefs_prober_keep,
	.release = tracefs_prober_release,
	.descriptors = tracefs_prober_descriptors,
	.detach = tracefs_prober_detach,
	.close = tracefs_prober_close,
};
