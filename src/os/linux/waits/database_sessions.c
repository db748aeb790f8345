/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/database_sessions.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"

#define TITLE  "postgres: "
#define HOLDS  " idle in transaction"
#define WAITS  " waiting"
#define LOCAL  "[local]"
#define WORKER "autovacuum worker"

/* Returns what a session of a client does, the end of its title: " idle" in "postgres: bob shop
 * 10.0.0.2(50412) idle", " SELECT" in "postgres: bob shop [local] SELECT". Before it the title has
 * names that the client chose. "": no such session. */
static struct span activity_in(struct span title)
{
	struct span rest = title, activity = span_of("", 0);

	while (rest.size) {
		size_t digits = 0;

		if (*rest.data == '(') {
			while (digits + 1 < rest.size &&
				isdigit((unsigned char)rest.data[digits + 1]))
				digits++;
		}
		rest = span_of(rest.data + 1, rest.size - 1);
		if (digits && digits < rest.size && rest.data[digits] == ')')
			activity = span_of(rest.data + digits + 1, rest.size - digits - 1);
		else if (span_starts(rest, LOCAL))
			activity = span_of(rest.data + strlen(LOCAL), rest.size - strlen(LOCAL));
	}
	return activity;
}

/* Returns whether it ends in " waiting for 0/15A2B3C8". */
static bool awaits_standby(struct span activity)
{
	const char *slash = span_last(activity, '/');
	const char *begin = slash;

	if (!slash || slash + 1 == activity.data + activity.size)
		return false;
	for (const char *c = slash + 1; c < activity.data + activity.size; c++) {
		if (!isxdigit((unsigned char)*c))
			return false;
	}
	while (begin > activity.data && isxdigit((unsigned char)begin[-1]))
		begin--;
	return span_ends(span_of(activity.data, (size_t)(begin - activity.data)), " waiting for ");
}

enum database_session database_session_from_title(const char *title)
{
	static const char *const starts[] = { " authentication", " initializing", " startup" };
	struct span all = span_of_string(title), activity;

	if (!span_starts(all, TITLE))
		return DATABASE_SESSION_NONE;
	activity = activity_in(all);
	if (!activity.size && span_contains(all, ": " WORKER))
		return span_ends(all, WAITS) ? DATABASE_SESSION_WAITS : DATABASE_SESSION_WORKS;
	if (!activity.size || SPAN_ANY(activity, span_ends, starts))
		return DATABASE_SESSION_NONE;
	if (awaits_standby(activity))
		return DATABASE_SESSION_COMMITS;
	if (span_ends(activity, WAITS))
		return DATABASE_SESSION_WAITS;
	if (span_ends(activity, HOLDS))
		return DATABASE_SESSION_HOLDS;
	if (span_ends(activity, HOLDS " (aborted)"))
		return DATABASE_SESSION_NONE;
	return span_equal(activity, " idle") ? DATABASE_SESSION_IDLE : DATABASE_SESSION_WORKS;
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
		if (is == DATABASE_SESSION_WORKS)
			s.working_pid = e->pid;
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
