/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/database_sessions.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"

#define TITLE  "postgres: "
#define HOLDS  " idle in transaction"
#define WORKER "autovacuum worker"

/* Returns whether a title is of a session of a client: "postgres: bob shop 10.0.0.2(50412) idle",
 * "postgres: bob shop [local] SELECT". */
static bool is_of_client(const char *title)
{
	const char *port = strchr(title, '(');

	return strstr(title, "[local]") || (port && port[1] >= '0' && port[1] <= '9');
}

enum database_session database_session_from_title(const char *title)
{
	if (strncmp(title, TITLE, strlen(TITLE)) != 0)
		return DATABASE_SESSION_NONE;
	if (strstr(title, " waiting for "))
		return DATABASE_SESSION_COMMITS;
	if (strstr(title, " waiting"))
		return DATABASE_SESSION_WAITS;
	if (strstr(title, HOLDS))
		return strstr(title, "(aborted)") ? DATABASE_SESSION_NONE : DATABASE_SESSION_HOLDS;
	if (strstr(title, WORKER))
		return DATABASE_SESSION_WORKS;
	if (!is_of_client(title))
		return DATABASE_SESSION_NONE;
	return span_ends(span_of(title, strlen(title)), " idle") ? DATABASE_SESSION_IDLE
								 : DATABASE_SESSION_WORKS;
}

enum database_session database_session_read(struct wait_reader *r, uint32_t pid)
{
	_cleanup_close_ int fd = procfs_open((pid_t)pid);
	char *title;

	if (fd < 0 ||
		timeout_read_at(&r->timeout, fd, "cmdline", &r->more, PROCFS_STAT, TIMEOUT_MS) < 0)
		return DATABASE_SESSION_NONE;
	/* If the arguments were longer than the title, blanks or zeros follow it. */
	title = (char *)buffer_cstr(&r->more);
	for (size_t size = strlen(title); size && title[size - 1] == ' ';)
		title[--size] = '\0';
	return database_session_from_title(title);
}

struct database_sessions database_sessions_read_all(struct wait_reader *r, uint32_t server_pid)
{
	size_t count = wait_table_count(&r->table);
	struct database_sessions s = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);
		enum database_session is = e->ppid == server_pid ? database_session_read(r, e->pid)
								 : DATABASE_SESSION_NONE;

		s.idle += is == DATABASE_SESSION_IDLE;
		s.holding += is == DATABASE_SESSION_HOLDS || is == DATABASE_SESSION_COMMITS;
		s.waiting += is == DATABASE_SESSION_WAITS;
		s.working += is == DATABASE_SESSION_WORKS;
		if (is == DATABASE_SESSION_IDLE)
			s.idle_pid = e->pid;
	}
	return s;
}

bool database_sessions_have_no_holder(const struct database_sessions *s)
{
	return s->waiting && !s->holding && !s->working;
}

bool database_sessions_may_hold_advisory_lock(const struct database_sessions *s)
{
	return s->idle && database_sessions_have_no_holder(s);
}
