/* SPDX-License-Identifier: BSD-2-Clause */
/* database-errors: a database answers with errors, again and again, on connections without TLS.
 * An error now and then is part of the work, for example if a row may exist already. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/peer_process.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	THRESHOLD("min-errors", 3, 2, 1e6, "minimum number of answers that are errors"),
	PERCENT_THRESHOLD(
		"min-share", 25, 1, 100, "minimum share of the answers since the first one"),
	THRESHOLD("many", 10, 2, 1e6,
		"severity is medium from this number of answers that are errors"),
};

static const char *const databases[SYSCALLS_DATABASES] = {
	[SYSCALLS_POSTGRES] = "PostgreSQL",
	[SYSCALLS_MYSQL] = "MySQL",
	[SYSCALLS_REDIS] = "Redis",
};

struct meaning {
	enum syscalls_database database;
	const char *code, *text, *remedy;
};

#define STATEMENT  "look at the statement that the program sends, and at the schema of the database"
#define CREDENTIAL "renew the credentials: name, password, and what the server allows from here"
#define RIGHTS	   "give the role the right, or use another role"
#define ROOM	   "look what holds the connections; close those that are not used, or use a pool"
#define AGAIN	   "repeat the transaction, and keep transactions short; look what it collides with"
#define DATA	   "look at the values that the program sends"
#define READ_ONLY  "send writes to the primary, or find out why this server refuses writes"
#define STARTS	   "wait until the server is ready; its log says what it does"
#define DISK	   "make room on the disk of the server"
#define SNAPSHOTS  "read the server's log: the disk for its snapshots is full or not writable"
#define MEMORY	   "give the server more memory, or let it remove old keys (maxmemory-policy)"

static const struct meaning meanings[] = {
	/* Appendix A of PostgreSQL's manual, "PostgreSQL Error Codes". */
	{ SYSCALLS_POSTGRES, "53300", "too many connections", ROOM },
	{ SYSCALLS_POSTGRES, "28P01", "wrong password", CREDENTIAL },
	{ SYSCALLS_POSTGRES, "28000", "this role may not connect", CREDENTIAL },
	{ SYSCALLS_POSTGRES, "3D000", "there is no such database",
		"create the database, or correct its name" },
	{ SYSCALLS_POSTGRES, "42P01", "there is no such table", STATEMENT },
	{ SYSCALLS_POSTGRES, "42703", "there is no such column", STATEMENT },
	{ SYSCALLS_POSTGRES, "42883", "there is no such function", STATEMENT },
	{ SYSCALLS_POSTGRES, "42601", "syntax error", STATEMENT },
	{ SYSCALLS_POSTGRES, "42501", "permission denied", RIGHTS },
	{ SYSCALLS_POSTGRES, "22P02", "a value is not of the column's type", DATA },
	{ SYSCALLS_POSTGRES, "22001", "a text is too long for its column", DATA },
	{ SYSCALLS_POSTGRES, "23505", "such a row is there already", DATA },
	{ SYSCALLS_POSTGRES, "23503", "the row that it refers to is missing", DATA },
	{ SYSCALLS_POSTGRES, "23502", "a value is missing", DATA },
	{ SYSCALLS_POSTGRES, "25P02", "the transaction has failed before, and goes on",
		"end the transaction (ROLLBACK) after its first error" },
	{ SYSCALLS_POSTGRES, "25006", "the server is read-only", READ_ONLY },
	{ SYSCALLS_POSTGRES, "40001", "transactions collide", AGAIN },
	{ SYSCALLS_POSTGRES, "40P01", "transactions wait for one another", AGAIN },
	{ SYSCALLS_POSTGRES, "55P03", "a lock is not available",
		"look what holds the lock: select * from pg_locks, pg_stat_activity" },
	{ SYSCALLS_POSTGRES, "57014", "the statement takes too long, and is cancelled",
		"look at its plan (EXPLAIN), at locks, and at statement_timeout" },
	{ SYSCALLS_POSTGRES, "57P03", "the server starts, or stops", STARTS },
	{ SYSCALLS_POSTGRES, "57P01", "the server ends this connection", STARTS },
	{ SYSCALLS_POSTGRES, "53100", "the server's disk is full", DISK },
	{ SYSCALLS_POSTGRES, "53200", "the server is out of memory",
		"give the server more memory" },
	/* "Server Error Message Reference" of MySQL's manual. */
	{ SYSCALLS_MYSQL, "1040", "too many connections", ROOM },
	{ SYSCALLS_MYSQL, "1203", "this user has too many connections", ROOM },
	{ SYSCALLS_MYSQL, "1045", "wrong name or password", CREDENTIAL },
	{ SYSCALLS_MYSQL, "1698", "wrong name or password", CREDENTIAL },
	{ SYSCALLS_MYSQL, "1044", "this user may not use the database", RIGHTS },
	{ SYSCALLS_MYSQL, "1142", "permission denied", RIGHTS },
	{ SYSCALLS_MYSQL, "1049", "there is no such database",
		"create the database, or correct its name" },
	{ SYSCALLS_MYSQL, "1146", "there is no such table", STATEMENT },
	{ SYSCALLS_MYSQL, "1054", "there is no such column", STATEMENT },
	{ SYSCALLS_MYSQL, "1064", "syntax error", STATEMENT },
	{ SYSCALLS_MYSQL, "1062", "such a row is there already", DATA },
	{ SYSCALLS_MYSQL, "1452", "the row that it refers to is missing", DATA },
	{ SYSCALLS_MYSQL, "1406", "a text is too long for its column", DATA },
	{ SYSCALLS_MYSQL, "1205", "waited too long for a lock", AGAIN },
	{ SYSCALLS_MYSQL, "1213", "transactions wait for one another", AGAIN },
	{ SYSCALLS_MYSQL, "1290", "the server is read-only", READ_ONLY },
	{ SYSCALLS_MYSQL, "1114", "the table is full", DISK },
	/* "-CODE text", as clients of Redis see the errors. */
	{ SYSCALLS_REDIS, "MAXCLIENTS", "too many connections", ROOM },
	{ SYSCALLS_REDIS, "OOM", "its memory limit is reached", MEMORY },
	{ SYSCALLS_REDIS, "MISCONF", "it cannot save to disk and refuses writes", SNAPSHOTS },
	{ SYSCALLS_REDIS, "READONLY", "it is a replica, and read-only", READ_ONLY },
	{ SYSCALLS_REDIS, "NOAUTH", "it wants a password", CREDENTIAL },
	{ SYSCALLS_REDIS, "WRONGPASS", "wrong name or password", CREDENTIAL },
	{ SYSCALLS_REDIS, "NOPERM", "permission denied", RIGHTS },
	{ SYSCALLS_REDIS, "WRONGTYPE", "the key holds another type of value", STATEMENT },
	{ SYSCALLS_REDIS, "LOADING", "it still loads its data", STARTS },
	{ SYSCALLS_REDIS, "BUSY", "it runs a script that does not end",
		"end the script: redis-cli SCRIPT KILL, or FUNCTION KILL" },
	{ SYSCALLS_REDIS, "MASTERDOWN", "its primary cannot be reached", STARTS },
	{ SYSCALLS_REDIS, "CLUSTERDOWN", "the cluster is not complete",
		"redis-cli cluster info shows what is missing" },
	{ SYSCALLS_REDIS, "NOREPLICAS", "too few replicas are there",
		"look why the replicas are gone" },
	{ SYSCALLS_REDIS, "EXECABORT", "the transaction is discarded after an error in it",
		STATEMENT },
};

static const struct meaning *meaning_of(const struct call_database *d, const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].database == d->database && !strcmp(meanings[i].code, code))
			return &meanings[i];
	}
	return NULL;
}

static const char *most_frequent(const struct call_database *d)
{
	size_t best = 0;

	for (size_t i = 1; i < CALL_DATABASE_CODES; i++) {
		if (d->codes[i].count > d->codes[best].count)
			best = i;
	}
	return d->codes[best].code;
}

static double weigh_database(const void *key, const void *value, const void *user)
{
	const struct call_path *path = key;
	const struct call_database *d = value;
	const struct check *e = user;

	if (d->errors < check_option(e, "min-errors") ||
		!check_is_over(e, "min-share",
			100 * (double)d->errors / (double)(d->errors + d->others), path->text))
		return 0;
	return (double)d->errors;
}

/* Appends the processes with most connections to the server, without closed ones, which it does not
 * count. */
static void put_connections(struct buffer *out, const struct check *e, const char *address)
{
	struct limit_users users;
	size_t open = 0;

	limit_users_find(&users, e, LIMITS_SHARED_PORTS, span_of_string(address));
	for (size_t i = 0; i < users.count; i++) {
		if (users.top[i].holder && !users.top[i].holder->holder_pid)
			users.sum -= users.top[i].amount;
		else
			users.top[open++] = users.top[i];
	}
	users.count = open;
	limit_users_put(out, e, &users, LIMITS_SHARED_PORTS);
}

/* Appends what fills the file system of a server on this host: databases work in their folder of
 * data. */
static void put_full_disk(struct buffer *out, const struct check *e, const char *address)
{
	const struct process_entry *server = port_owner_find(e, address);

	if (server && server->process)
		limit_users_put_full(
			out, e, record_text(&server->process->record, &server->process->directory));
}

static void report_database(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct call_path *peer = one->key;
	const struct call_database *d = one->value;
	const char *code = most_frequent(d);
	const struct meaning *m = meaning_of(d, code);
	_cleanup_(buffer_fini) struct buffer most = { 0 };

	finding_begin(out, FINDING_CONFIDENCE_HIGH, peer->text);
	finding_low_if(out, d->errors < check_option(e, "many"));
	finding_connection(out, span_of_string(peer->text));
	if (m && !strcmp(m->remedy, ROOM))
		put_connections(&most, e, peer->text);
	if (m && (!strcmp(m->remedy, DISK) || !strcmp(m->remedy, SNAPSHOTS)))
		put_full_disk(&most, e, peer->text);
	finding_claim(out, "%s at %s answers with errors, %llu of %llu times: %s%s%s%s%s",
		databases[d->database], peer->text, (unsigned long long)d->errors,
		(unsigned long long)(d->errors + d->others), m ? m->text : code, m ? " (" : "",
		m ? code : "", m ? ")" : "", buffer_cstr(&most));
	finding_calls_count(out, "answers that are errors", d->errors);
	finding_calls_count(out, "other answers since the first of them", d->others);
	for (size_t i = 0; i < CALL_DATABASE_CODES && d->codes[i].count; i++)
		finding_text(
			out, "error code", "%s: %u times", d->codes[i].code, d->codes[i].count);
	finding_calls_rate(out, "errors", d->errors);
	finding_unseen(out, "the statement, and the text of the error: they are not read");
	finding_remedy(out, "%s", m ? m->remedy : "look up the code in the manual of the database");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	check_report_ranked(e, out, &e->calls.history->databases, weigh_database, report_database,
		"no database answers with errors again and again");
}

const struct finding_detector finding_database_errors = { diagnose, FINDING_OPTIONS(options) };
