/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/failure_meaning.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/process_table/process_table.h"
#include "base/cursor.h"
#include "model/errno_names.h"

struct row {
	uint16_t error;
	const char *place; /* beginning of the path or object; NULL: any */
	struct failure_meaning meaning;
};

static const struct row rows[] = {
	{ LINUX_EPIPE, "pipe:",
		{ "no process reads it any more", "start the reader again, or end this process: "
						  "what it writes is lost" } },
	{ LINUX_EPIPE, NULL,
		{ "the other end is closed", "open the connection again, or end this process" } },
	{ LINUX_EBUSY, NULL, { "it is in use", NULL } },
	{ LINUX_EBADF, NULL,
		{ "the descriptor is closed",
			"the program uses a descriptor after it closed it, or one it never "
			"opened" } },
	/* for bind() only: failed connects are counted elsewhere */
	{ LINUX_EADDRNOTAVAIL, NULL,
		{ "this address is on no interface of the host",
			"choose an address of this host: ip addr lists them" } },
	{ LINUX_ELOOP, NULL,
		{ "symbolic links that lead to each other",
			"readlink shows where each link leads" } },
	{ LINUX_ETXTBSY, NULL, { "this program runs, its file cannot be written", NULL } },
	{ LINUX_EFBIG, NULL,
		{ "the file is as large as it may be",
			"raise the limit (ulimit -f, systemd: LimitFSIZE=)" } },
	{ LINUX_EIO, NULL,
		{ "the device or file system failed", "dmesg has the message of the driver" } },
	{ LINUX_ESTALE, NULL,
		{ "the server of this file system does not have the file any more", NULL } },
	{ LINUX_EXDEV, NULL, { "the two paths are on different file systems", NULL } },
	{ LINUX_EMSGSIZE, NULL, { "longer than one packet may be", NULL } },
	{ CALL_NO_DIRECTORY, NULL,
		{ "the directory in which the file is to be made does not exist",
			"make that directory (mkdir -p), or correct the path in the "
			"configuration" } },
	{ LINUX_ENOEXEC, NULL, { "no program of a known format", "file PATH shows what it is" } },
};

static const struct failure_meaning no_port = { "no local port is free for this address",
	"keep fewer connections open, or use one again (ss -tanp shows them, sysctl "
	"net.ipv4.ip_local_port_range the range)" };

static bool begins(const struct call_place *place, const char *text)
{
	return !strncmp(place->text, text, strlen(text));
}

static bool fits(const struct row *r, const struct call_place *place)
{
	return r->error == place->error && (!r->place || begins(place, r->place));
}

const struct failure_meaning *failure_meaning_of(const struct call_place *place)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (fits(&rows[i], place))
			return &rows[i].meaning;
	}
	return NULL;
}

const struct failure_meaning *failure_meaning_of_connect(uint16_t error)
{
	return error == LINUX_EADDRNOTAVAIL ? &no_port : NULL;
}

/* Appends a process that uses the directory; only diagnosed processes and children are known. */
static void put_directory_user(
	struct buffer *out, const struct check *e, const struct call_place *place)
{
	process_table_for_each (&e->input->host.process_table, p) {
		struct span directory = record_text(&p->process->record, &p->process->directory);

		if (!path_is_within(directory, span_of_string(place->text)))
			continue;
		buffer_string(out, ": ");
		check_put_name(out, p);
		buffer_format(out, " has its working directory %.*s", (int)directory.size,
			directory.data);
		return;
	}
}

void failure_meaning_put_process(
	struct buffer *out, const struct check *e, const struct call_place *place)
{
	const struct process_entry *child = NULL;

	assert(e);
	assert(place);
	if (place->error == LINUX_EBUSY && *place->text == '/')
		put_directory_user(out, e, place);
	if (place->error != LINUX_EPIPE || !begins(place, "pipe:"))
		return;
	for (const struct process_entry *p = e->process->first_child; p; p = p->next_sibling) {
		if (!p->zombie_ns)
			continue;
		if (child)
			return;
		child = p;
	}
	if (!child)
		return;
	buffer_string(out, ", its child ");
	check_put_name(out, child);
	buffer_string(out, " has ended");
}

bool failure_is_query(const char *program, struct span command)
{
	static const char *const queries[] = { "rev-parse", "symbolic-ref", "show-ref", "describe",
		"config", "check-ignore", "ls-files", "merge-base", "cat-file", "for-each-ref" };
	struct cursor c = cursor_over(command.data, command.size);
	struct span word;

	if (strcmp(program, "git"))
		return false;
	cursor_until(&c, '\0');
	word = cursor_until(&c, '\0');
	while (word.size && *word.data == '-') {
		if (span_equal(word, "-C") || span_equal(word, "-c"))
			cursor_until(&c, '\0');
		word = cursor_until(&c, '\0');
	}
	return SPAN_ANY(word, span_equal, queries);
}
