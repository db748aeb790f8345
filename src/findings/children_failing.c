/* SPDX-License-Identifier: BSD-2-Clause */
/* children-failing: a process starts the same command again and again, and each one fails. A
 * program that answers a question by its status (grep, test) has not failed, and a list of jobs
 * has commands that differ. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/failure_meaning.h"
#include "analyze/diagnosis/last_words.h"
#include "base/cleanup.h"
#include "probes/signal_names.h"

#define GROUPS_MAX    1024
#define SIGNAL_ABORT  6	 /* by abort(3) */
#define SIGNALS_PLAIN 32 /* real-time signals are above, and end no command by themselves */
#define STATUSES      4	 /* different exit statuses that are kept of one command */

NUMBER(FAILING_SHARE, 0.9, NONE, "of the ends of one command that are failures");
NUMBER(UNKNOWN_LEAST, 4, NONE, "failures that suffice if the arguments were not recorded");
NUMBER(SURE, 5, NONE, "failures in a row, from which it is certain");
NUMBER(SESSIONS_MANY, 5, NONE, "open ones of a database: a limit is more likely than a password");

static const struct finding_option options[] = {
	THRESHOLD("min-failures", 3, 2, 1e6, "minimum number of commands that failed"),
	THRESHOLD("many", 10, 2, 1e6, "severity is medium from this number of failures"),
};

/* --- what an exit status means --- */

struct meaning {
	const char *program; /* "": any program */
	uint32_t code;
	const char *text; /* NULL: an answer, not a failure */
};

/* The meanings are from the manual pages of the programs; those of "any program" are the shell's. A
 * proxy that refuses a tunnel has no status of its own: curl and wget end as if the connection had
 * failed. */
static const struct meaning meanings[] = {
	{ "curl", 3, "malformed URL" },
	{ "curl", 5, "the proxy's name could not be resolved" },
	{ "curl", 6, "the host's name could not be resolved" },
	{ "curl", 7, "could not connect" },
	{ "curl", 8, "the server's answer is not understood" },
	{ "curl", 16, "error of HTTP/2" },
	{ "curl", 18, "the transfer ended too early" },
	{ "curl", 22, "the server answered with an error: 400 or above" },
	{ "curl", 23, "could not write what it received" },
	{ "curl", 26, "could not read what it should send" },
	{ "curl", 28, "timeout" },
	{ "curl", 35, "no TLS connection" },
	{ "curl", 47, "too many redirects" },
	{ "curl", 52, "the server answered nothing" },
	{ "curl", 55, "could not send" },
	{ "curl", 56, "the proxy refused the tunnel, or the connection broke" },
	{ "curl", 60, "the server's certificate is not trusted" },
	{ "curl", 67, "wrong user name or password" },
	{ "curl", 92, "error of HTTP/2" },
	{ "curl", 97, "no agreement with the proxy" },
	{ "wget", 3, "file error" },
	{ "wget", 4, "network failure, or the proxy refused the tunnel" },
	{ "wget", 5, "the server's certificate is not trusted" },
	{ "wget", 6, "wrong user name or password" },
	{ "wget", 7, "the server's answer is not understood" },
	{ "wget", 8, "the server answered with an error" },
	{ "git", 128, "fatal error" },
	{ "ssh", 255, "no connection, or it was refused" },
	{ "scp", 255, "no connection, or it was refused" },
	{ "psql", 2, "no connection to the database" },
	{ "psql", 3, "an error in the script" },
	{ "pg_isready", 1, "the server refuses connections: it is starting" },
	{ "pg_isready", 2, "no answer from the server" },
	{ "timeout", 124, "timeout" },
	{ "sqlite3", 5, "the database is locked" },
	{ "mountpoint", 32, NULL },
	{ "getent", 2, NULL },
	{ "systemctl", 3, NULL },
	{ "", 126, "it cannot be executed" },
	{ "", 127, "command not found" },
};

/* Programs that answer by status 1. */
static const char *const answers[] = { "grep", "egrep", "fgrep", "zgrep", "rg", "test", "[", "expr",
	"cmp", "diff", "git", "pgrep", "pidof", "ps", "lsof", "fuser", "which", "readlink",
	"mountpoint", "tty" };

static const struct meaning *meaning_of(const char *program, uint32_t code)
{
	static const struct meaning answer = { "", 1, NULL };

	if (code == answer.code && SPAN_ANY(span_of_string(program), span_equal, answers))
		return &answer;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct meaning *m = &meanings[i];

		if (m->code == code && (!*m->program || !strcmp(m->program, program)))
			return m;
	}
	return NULL;
}

static unsigned signal_of_status(uint32_t status)
{
	unsigned code = END_EXIT(status);

	if (END_SIGNAL(status))
		return END_SIGNAL(status);
	return code > END_SHELL_SIGNAL && code < END_SHELL_SIGNAL + SIGNALS_PLAIN
		       ? code - END_SHELL_SIGNAL
		       : 0;
}

/* Only signals that a program brings upon itself are failures; others end processes that are no
 * longer needed. */
static bool is_failure(const char *program, uint32_t status)
{
	unsigned signal = signal_of_status(status);
	const struct meaning *m = meaning_of(program, END_EXIT(status));

	if (!status)
		return false;
	return signal ? exit_reason_is_fault(signal) || signal == SIGNAL_ABORT : !m || m->text;
}

/* --- the commands of one name that one process starts --- */

struct group_key {
	const struct process_entry *starter;
	uint64_t is_direct; /* 1: children of the process itself, 0: their children; no padding, as
			       this is the key of a map */
	char name[SHORT_LIVED_NAME_SIZE];
};

struct group {
	struct group_key key;
	uint64_t count, failed, early; /* ended children; of these, failed; of the failed, early */
	uint64_t life_ns;	       /* total lifetime of the failed children */
	uint64_t known,
		different;  /* failures with known arguments; of these, with different ones */
	uint64_t command;   /* hash of the arguments of the first failure */
	uint64_t unstarted; /* failures of children that could not execute another program */
	const struct call_place *exec; /* the failed exec of one of these children */
	struct last_words words;       /* of the failed children */
	struct group_status {
		uint32_t status, count; /* count 0: none */
	} statuses[STATUSES];
};

struct counting {
	const struct check *check;
	struct map groups; /* struct group_key -> struct group */
	uint64_t from_ns, middle_ns;
};

static void add_status(struct group *g, uint32_t status)
{
	for (size_t i = 0; i < STATUSES; i++) {
		struct group_status *s = &g->statuses[i];

		if (s->count && s->status != status)
			continue;
		s->status = status;
		s->count++;
		break;
	}
}

/* Returns the last program that the process tried to execute; NULL: none, or its calls were not
 * recorded. A search along PATH fails in each directory. */
static const struct call_place *failed_exec(const struct check *e, const struct process_id *id)
{
	const struct call_history *h = call_histories_get(&e->input->calls, id);
	const struct call_place *last = NULL;
	uint64_t last_ns = 0;

	map_for_each (map_while(h, &h->failures), const struct call_place *, place,
		const struct call_failures *, value) {
		const struct syscall_row *row = syscall_by_number(place->abi, place->number);
		uint64_t at_ns = value->last_ns;

		if (!row || !(row->traits & SYSCALL_EXECS) || !*place->text || at_ns < last_ns)
			continue;
		last = place;
		last_ns = at_ns;
	}
	return last;
}

static void add_failure(struct counting *c, struct group *g, const struct process_id *id,
	const struct short_lived_process *p, const uint64_t *command)
{
	const struct call_place *exec = command ? NULL : failed_exec(c->check, id);

	add_status(g, p->status);
	g->failed++;
	g->early += p->end_ns < c->middle_ns;
	g->life_ns += p->life_ns;
	if (command) {
		g->command = g->known++ ? g->command : *command;
		g->different += g->command != *command;
	}
	if (exec) {
		g->unstarted++;
		g->exec = exec;
	}
	last_words_add(&g->words, c->check, id);
}

static void count_failures(struct counting *c)
{
	const struct check *e = c->check;
	const struct short_lived *b = &e->input->host.short_lived;

	map_for_each (&b->processes, const void *, id, const struct short_lived_process *, p) {
		struct group_key key = { .starter = starts_living(p->starter) };
		const uint64_t *command = map_get(&b->commands, id);
		struct group *g;

		if (p->end_ns < c->from_ns || !starts_is_of(e, key.starter))
			continue;
		key.is_direct = process_id_equal(&key.starter->id, &p->parent);
		memcpy(key.name, p->name, strnlen(p->name, sizeof(key.name) - 1));
		g = map_put(&c->groups, &key, NULL);
		if (!g)
			continue;
		g->key = key;
		g->count++;
		if (is_failure(key.name, p->status) &&
			!(command && failure_is_query(key.name, short_lived_command(b, *command))))
			add_failure(c, g, id, p, command);
	}
}

/* Returns the most frequent status of the group. */
static struct group_status status_of(const struct group *g)
{
	struct group_status most = g->statuses[0];

	for (size_t i = 1; i < STATUSES; i++) {
		if (g->statuses[i].count > most.count)
			most = g->statuses[i];
	}
	return most;
}

/* Returns whether all failures have one reason, as far as it is known: a list of files may fail one
 * by one. */
static bool has_one_reason(const struct group *g)
{
	struct group_status most = status_of(g);

	if (g->failed < UNKNOWN_LEAST || most.count < g->failed)
		return false;
	return !g->known || signal_of_status(most.status);
}

/* Returns whether all commands fail, from the first half of the observation to the second. */
static bool keeps_failing(const struct counting *c, const struct group *g)
{
	return (double)g->failed >= check_option(c->check, "min-failures") &&
	       (double)g->failed >= FAILING_SHARE * (double)g->count &&
	       starts_are_steady(g->early, g->failed) &&
	       ((g->known * 2 >= g->failed && g->different * 4 <= g->known) || has_one_reason(g));
}

static bool runs_other_commands(const struct group *g)
{
	static const char *const names[] = { "sh", "bash", "dash", "zsh", "env", "timeout", "sudo",
		"nice", "stdbuf", "npm", "npx", "make" };

	return SPAN_ANY(span_of_string(g->key.name), span_equal, names);
}

/* Returns the command that a shell was started for, else the shell. */
static const struct group *command_behind(const struct counting *c, const struct group *shell)
{
	const struct group *found = shell;

	map_for_each_value (&c->groups, const struct group *, g) {
		if (!g->key.is_direct && g->key.starter == shell->key.starter &&
			!runs_other_commands(g) && status_of(g).status == status_of(shell).status &&
			g->failed * 4 >= shell->failed * 3 && keeps_failing(c, g))
			found = g;
	}
	return found;
}

/* Returns the command that fails most often; NULL: none fails again and again. */
static const struct group *choose_group(const struct counting *c)
{
	const struct group *most = NULL;

	map_for_each_value (&c->groups, const struct group *, g) {
		if (g->key.is_direct && (!most || g->failed > most->failed) &&
			!starts_are_of_a_list(g->key.starter) && keeps_failing(c, g))
			most = g;
	}
	return most && runs_other_commands(most) ? command_behind(c, most) : most;
}

/* --- what PostgreSQL writes into the titles of its processes --- */

/* PostgreSQL's set_ps_display() (src/backend/postmaster/pgarch.c) appends "failed on 00000001..."
 * to the title; after a success "last was ...". */
#define FAILED "archiver failed on "

/* Returns the segment of the write-ahead log that could not be archived, borrowed; empty: the
 * process is no archiver, or has not failed. */
static struct span unarchived_wal_segment(const struct process_entry *p)
{
	struct span title =
		p->process ? process_table_field(&p->process->record, &p->process->arguments)
			   : span_of("", 0);
	const char *at = title.size ? memmem(title.data, title.size, FAILED, strlen(FAILED)) : NULL;
	size_t size = 0, left;

	if (!at || !span_starts(title, "postgres: "))
		return span_of("", 0);
	at += strlen(FAILED);
	left = (size_t)(title.data + title.size - at);
	while (size < left && at[size] > ' ')
		size++;
	return span_of(at, size);
}

struct session_counts {
	unsigned open, idle; /* idle: those that wait for their client */
};

#define PROGRAM "postgres"

/* Returns the state in "postgres: shop orders 127.0.0.1(53532) idle", after the client; empty:
 * there is none, as in processes of the server itself. */
static struct span session_state(struct span title)
{
	static const char *const clients[] = { "[local] ", ") " };

	for (size_t i = 0; i < ARRAY_SIZE(clients) && span_starts(title, PROGRAM ": "); i++) {
		const char *at = memmem(title.data, title.size, clients[i], strlen(clients[i]));
		size_t skipped = at ? (size_t)(at - title.data) + strlen(clients[i]) : 0;

		if (at)
			return span_of(title.data + skipped, title.size - skipped);
	}
	return span_of("", 0);
}

/* False: the children of `server` named `program` are no PostgreSQL sessions. */
static bool session_counts_of(struct session_counts *out, const struct check *e,
	const struct process_entry *server, const char *program)
{
	*out = (struct session_counts){ 0 };
	if (strcmp(program, PROGRAM) != 0 || !span_equal(check_name(server), PROGRAM))
		return false;
	process_table_for_each (&e->input->host.process_table, child) {
		struct span state;

		if (child->parent != server || !child->is_there || !child->process)
			continue;
		state = session_state(
			record_text(&child->process->record, &child->process->arguments));
		out->open += state.size > 0;
		out->idle += span_starts(state, "idle");
	}
	return true;
}

/* --- the finding --- */

/* Returns the meaning of the exit status. A child with the name of its parent is still a copy of
 * the parent: a status of a shell then means that the exec failed. */
static const char *status_text(const struct group *g, uint32_t code)
{
	const struct meaning *m = meaning_of(g->key.name, code);

	if (m && !*m->program && !starts_are_of_a_shell(g->key.starter) &&
		span_equal(check_name(g->key.starter), g->key.name))
		return "it could not start its command";
	return m ? m->text : NULL;
}

/* "exit status 52: the server answered nothing", "SIGSEGV". */
static void write_status(char *out, size_t size, const struct group *g)
{
	uint32_t status = status_of(g).status, code = END_EXIT(status);
	const char *text = status_text(g, code);
	char name[SIGNAL_NAME_SIZE];

	if (signal_of_status(status))
		snprintf(out, size, "%s", signal_name(name, signal_of_status(status)));
	else
		snprintf(out, size, "exit status %u%s%s", code, text ? ": " : "", text ?: "");
}

/* "cannot execute /a/b: ENOENT (No such file or directory), 13 of 13 times" */
static void claim_unstarted(struct check_result *out, const struct group *g)
{
	const char *error = errno_name(g->exec->error) ?: "an error";
	const char *text = errno_text(g->exec->error) ?: "unknown";

	finding_claim(out, "cannot execute %s: %s (%s), %llu of %llu times%s", g->exec->text, error,
		text, (unsigned long long)g->failed, (unsigned long long)g->count,
		g->exec->error == LINUX_ENOENT
			? "; the file is missing, or the interpreter that its first line names"
		: g->exec->error == LINUX_EACCES ? "; it has no permission to be executed"
						 : "");
	finding_path(out, span_of_string(g->exec->text));
}

/* Claims that a server of PostgreSQL ends its sessions as they begin: it refuses clients. */
static bool claim_sessions(
	const struct check *e, struct check_result *out, const struct group *g, const char *status)
{
	struct session_counts s;

	if (!session_counts_of(&s, e, g->key.starter, g->key.name))
		return false;
	finding_claim(out,
		"PostgreSQL refuses its clients: %llu of %llu new sessions end at once (%s)",
		(unsigned long long)g->failed, (unsigned long long)g->count, status);
	if (s.open >= SESSIONS_MANY)
		finding_claim(out,
			", while %u are open, %u of them idle: its limit (max_connections) is "
			"probably reached",
			s.open, s.idle);
	else
		finding_claim(
			out, ": a wrong name, password or database, or its limit of sessions");
	finding_remedy(out,
		"its log says why; select * from pg_stat_activity shows what holds the "
		"sessions: close those that are idle, use a pool, or raise max_connections");
	return true;
}

static void emit_claim(
	const struct check *e, struct check_result *out, const struct group *g, const char *status)
{
	const struct process_entry *starter = g->key.starter;
	struct span name = check_name(starter);

	if (claim_sessions(e, out, g, status))
		return;
	if (g->unstarted * 2 > g->failed)
		claim_unstarted(out, g);
	else if (starter == e->process)
		finding_claim(out, "its children (%s) keep failing, %llu of %llu: %s", g->key.name,
			(unsigned long long)g->failed, (unsigned long long)g->count, status);
	else
		finding_claim(out, "the children (%s) of %.*s (%u) keep failing, %llu of %llu: %s",
			g->key.name, SPAN_ARGS(name), starter->id.pid,
			(unsigned long long)g->failed, (unsigned long long)g->count, status);
	if (g->unstarted * 2 <= g->failed)
		last_words_put(out, &g->words, g->failed);
	finding_remedy(out, "%s, or end the loop in %.*s (%u) that starts it again",
		last_words_most(&g->words).count ? "mend what it says"
						 : "run the command by hand and read its error",
		SPAN_ARGS(name), starter->id.pid);
}

static void emit_finding(const struct check *e, struct check_result *out, const struct group *g)
{
	char status[96];
	uint64_t interval_ns = e->input->host.last_ns - e->input->host.short_lived.from_ns;
	uint64_t same = last_words_most(&g->words).count;

	write_status(status, sizeof(status), g);
	finding_begin(out, confidence_high_if(g->failed >= SURE && g->known), g->key.name);
	finding_severity(
		out, (double)g->failed >= check_option(e, "many") ? FINDING_MEDIUM : FINDING_LOW);
	emit_claim(e, out, g, status);
	if (g->known)
		finding_command(out, "command",
			short_lived_command(&e->input->host.short_lived, g->command));
	finding_count(out, "failures", g->failed, interval_ns);
	if (status_of(g).count < g->failed)
		finding_text(out, "other exit statuses", "%llu of %llu",
			(unsigned long long)(g->failed - status_of(g).count),
			(unsigned long long)g->failed);
	finding_number(out, "mean time until they fail", (double)g->life_ns / (double)g->failed,
		SOOTH_UNIT_NS, 0);
	if (same)
		finding_count(out, "of these, with the same last line", same, 0);
	else
		finding_unseen(out, "what the command wrote about the error");
}

/* Returns whether an earlier detector knows more: why the children fail, or that they are a flood
 * of failures. */
static bool is_reported_already(const struct check *e, struct check_result *out)
{
	static const char *const better[] = { "connect-failing", "syscall-errors" };
	struct starts all;

	for (size_t i = 0; i < ARRAY_SIZE(better); i++) {
		if (check_has_finding(e, better[i])) {
			check_fine(out, "children fail: reported as %s", better[i]);
			return true;
		}
	}
	if (!check_has_finding(e, "process-flood"))
		return false;
	starts_of(&all, e);
	if (all.failed * 2 < all.count)
		return false;
	check_fine(out, "children fail: reported as process-flood");
	return true;
}

static void report_group(const struct check *e, struct check_result *out, const struct counting *c)
{
	const struct group *g = choose_group(c);
	const struct process_entry *starter = g ? g->key.starter : NULL;

	if (!g)
		check_fine(out, "no command fails again and again");
	else if (starter != e->process && diagnosis_input_is_selected(e->input, starter))
		check_fine(out, "reported for %u, which starts them", starter->id.pid);
	else if (!is_reported_already(e, out))
		emit_finding(e, out, g);
}

/* PostgreSQL tries to archive again once a minute, so no failure may come during the
 * observation. */
static void report_archive(const struct check *e, struct check_result *out, struct span segment)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out,
		"its archive_command keeps failing: %.*s is not archived, and the segments of the "
		"write-ahead log pile up in pg_wal",
		SPAN_ARGS(segment));
	finding_text(out, "its title", "archiver failed on %.*s", SPAN_ARGS(segment));
	finding_unseen(out, "why: the command's status and words are in the server's log");
	finding_remedy(out,
		"as the user of process %u, run archive_command (SHOW archive_command) for that "
		"segment by hand: it fails also where a file of that name is archived already",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct counting c = { .check = e, .from_ns = starts_from_ns(e) };
	struct span segment = unarchived_wal_segment(e->process);

	if (segment.size) {
		report_archive(e, out, segment);
		return;
	}
	c.middle_ns = c.from_ns + (e->input->host.last_ns - c.from_ns) / 2;
	map_init(&c.groups, sizeof(struct group_key), sizeof(struct group), GROUPS_MAX);
	count_failures(&c);
	report_group(e, out, &c);
	map_fini(&c.groups);
}

const struct finding_detector finding_children_failing = { diagnose, FINDING_OPTIONS(options) };
