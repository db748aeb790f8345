/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parser.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ENDS_KEPT 32

#define NO_PROCESS                                                                                 \
	{                                                                                          \
		.socket = -1, .owner_socket = -1                                                   \
	}

static struct parser_process process = NO_PROCESS;
static _Atomic(const char *) failed;
static _Atomic unsigned open_ends;

__thread pid_t *parser_worker;
__thread bool parser_is_urgent;

void parser_use_process(const struct parser_process *used)
{
	const struct parser_process none = NO_PROCESS;

	process = used ? *used : none;
}

int parser_socket(void)
{
	return process.socket;
}

int parser_owner_socket(void)
{
	return process.owner_socket;
}

int parser_open(const struct parser *parser, int fd, size_t size, size_t more_max)
{
	int end;

	if (process.open) {
		end = process.open(process.socket, parser, NULL, fd, size, more_max);
	} else {
		end = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		end = end < 0 ? -errno : end;
	}
	if (end >= 0)
		atomic_fetch_add(&open_ends, 1);
	return end;
}

void parser_close(int *end)
{
	assert(end);
	if (*end >= 0)
		atomic_fetch_sub(&open_ends, 1);
	cleanup_close(end);
	*end = -1;
}

bool parser_is_crowded(void)
{
	return process.open && atomic_load(&open_ends) > ENDS_KEPT;
}

int parser_ask(const struct parser *parser, int end, void *job, size_t size, struct buffer *more)
{
	assert(parser);
	return process.ask ? process.ask(end, parser, job, size, more)
			   : parser->parse(end, job, more);
}

int parser_run(const struct parser *parser, int fd, void *job, size_t size, struct buffer *more)
{
	int status;

	assert(parser);
	if (!process.open || parser_is_urgent)
		return parser->parse(fd, job, more);
	fd = parser_open(parser, fd, size, more ? more->limit : 0);
	status = fd < 0 ? fd : parser_ask(parser, fd, job, size, more);
	parser_close(&fd);
	return status;
}

int parser_run_as(const struct parser *parser, const struct parser_owner *owner, int fd, void *job,
	size_t size)
{
	int end, status;

	assert(parser);
	assert(owner);
	if (!process.open)
		return parser->parse(fd, job, NULL);
	end = process.open(process.owner_socket, parser, owner, fd, size, 0);
	if (end < 0)
		return end;
	status = process.ask(end, parser, job, size, NULL);
	close(end);
	return status;
}

void parser_note_failure(const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&failed, &none, what);
}

const char *parser_failure(void)
{
	return atomic_load(&failed);
}

bool parser_names_pack(struct parser_names *to, const char *const *names, size_t count)
{
	size_t used = 0;

	assert(to);
	if (count > PARSER_NAMES_MAX)
		return false;
	to->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(names[i]) + 1;

		if (size > sizeof(to->text) - used)
			return false;
		memcpy(to->text + used, names[i], size);
		used += size;
	}
	return true;
}

void parser_names_unpack(const struct parser_names *from, const char *names[PARSER_NAMES_MAX])
{
	const char *at = from->text;

	for (size_t i = 0; i < from->count; i++, at += strlen(at) + 1)
		names[i] = at;
}
