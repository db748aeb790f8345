/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_postgres.h"

#include <string.h>

#include "base/cursor.h"
#include "model/batch.h"
#include "analyze/records.h"

#define WAITING " waiting"

/* Returns the command (capitals) in "postgres: bob shop 10.0.0.2(5032) ALTER TABLE waiting". */
static struct span command_of(const struct wait_link *link)
{
	struct span title = record_text(&link->process->record, &link->process->title);
	const char *end = memchr(title.data, '\0', title.size), *begin;

	if (end)
		title.size = (size_t)(end - title.data);
	while (title.size && title.data[title.size - 1] == ' ')
		title.size--;
	if (!span_ends(title, WAITING))
		return span_of("", 0);
	end = title.data + title.size - strlen(WAITING);
	begin = end;
	while (begin > title.data && ((begin[-1] >= 'A' && begin[-1] <= 'Z') || begin[-1] == ' '))
		begin--;
	while (begin < end && *begin == ' ')
		begin++;
	return span_of(begin, (size_t)(end - begin));
}

bool wait_is_of_standby(const struct wait_link *link)
{
	return link->what == WAIT_DATABASE_LOCK && !link->party &&
	       span_contains(
		       record_text(&link->process->record, &link->process->title), WAITING " for ");
}

bool wait_is_of_commit(const struct waits_party *holder)
{
	return span_ends(record_text(&holder->record, &holder->detail), " at commit");
}

bool wait_is_of_work(const struct waits_party *holder)
{
	return span_ends(record_text(&holder->record, &holder->detail), " at work");
}

bool wait_is_of_prepared(const struct wait_link *link)
{
	return link->what == WAIT_DATABASE_LOCK && link->party && !link->party->party_pid;
}

void wait_database_text(struct buffer *out, const struct wait_link *link)
{
	const struct waits_party *p = link->party;
	struct span command = command_of(link);
	/* Only a function in a query takes an advisory lock. */
	bool is_query = !command.size || span_equal(command, "SELECT");

	if (wait_is_of_standby(link)) {
		buffer_string(out, "waits at COMMIT until a standby server confirms it, as "
				   "synchronous_standby_names demands");
		return;
	}
	if (p && !span_contains(
			 record_text(&link->process->record, &link->process->title), WAITING)) {
		buffer_string(out, "waits within the database server, probably for ");
		return;
	}
	buffer_string(out, "waits for a lock in the database");
	if (command.size)
		buffer_format(out, " for its %.*s", (int)command.size, command.data);
	if (!p)
		return;
	if (p->party_pid)
		buffer_string(out, p->confidence > WAITS_LOW ? ", probably held by "
							     : ", perhaps an advisory lock of ");
	else
		buffer_format(out,
			", and no session has a transaction open: perhaps held by a prepared "
			"transaction (pg_prepared_xacts)%s",
			is_query ? ", or an advisory lock" : "");
}
