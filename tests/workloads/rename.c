/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rewrites its own command line and comm to any bytes, as daemons do politely and as a hostile
 * process does to break a viewer. The kernel reads /proc/PID/cmdline from the memory of the
 * process. The title always fits there, because it was one of the arguments; the rest of the old
 * arguments then reads as NUL bytes.
 */
#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define COMM_LEN_MAX 15

static struct bytes title;
static struct bytes comm;

static void set_title(int argc, char **argv)
{
	char *last = argv[argc - 1];
	size_t size = (size_t)(last + strlen(last) + 1 - argv[0]);

	memset(argv[0], 0, size);
	memcpy(argv[0], title.data, title.len < size ? title.len : size - 1);
}

static void print_escaped(FILE *out, const char *key, const char *data, size_t len)
{
	fprintf(out, "%s ", key);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
	fputc('\n', out);
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	if (title.data) {
		set_title(w->argc, w->argv);
		print_escaped(truth.out, "title", title.data, title.len);
	}
	if (comm.data) {
		if (prctl(PR_SET_NAME, comm.data))
			return -errno;
		print_escaped(truth.out, "comm", comm.data, strnlen(comm.data, COMM_LEN_MAX));
	}
	err = truth_commit(&truth, w);
	return err ? err : workload_stay(w);
}

static const struct param params[] = {
	{ "title", "TEXT", "new command line; \\xNN gives any byte", PARAM_BYTES, &title, 0, 0 },
	{ "comm", "TEXT", "new comm, cut after 15 bytes", PARAM_BYTES, &comm, 0, 0 },
	{ 0 },
};

const struct scenario scenario_rename = {
	.name = "rename",
	.help = "rewrites its own command line and comm",
	.params = params,
	.run = run,
};
