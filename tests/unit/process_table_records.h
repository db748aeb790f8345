/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host made by hand, for tests of what is judged about processes: one line a process, and a
 * table of all. A member that is left out is that of an ordinary process of user 1000 in the
 * initial pid namespace, in a session of its own parent's making, with its streams at a terminal.
 */
#ifndef SOOTH_TESTS_PROCESS_TABLE_RECORDS_H
#define SOOTH_TESTS_PROCESS_TABLE_RECORDS_H

#include "support.h"

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/verdicts.h"
#include "base/units.h"
#include "probes/proc.h"

#define T(text)                                                                                    \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
#define HOST_NAMESPACE 4026531836u
#define ME	       1000
#define CLAUDE	       "/home/me/.local/share/claude/versions/2.1.50"
#define OPENCODE       "/r/node_modules/opencode-ai/bin/opencode.exe"
#define CODEX	       "/r/node_modules/@openai/codex-linux-x64/vendor/x/bin/codex"
#define CODEX_DAEMON   "/h/.codex/packages/app-server-daemon/releases/1.2.3/bin/codex"
#define NODE	       "/usr/bin/node"

/* Streams 0, 1, 2. */
#define AT_TERMINAL                                                                                \
	{                                                                                          \
		PROC_STREAM_TERMINAL, PROC_STREAM_TERMINAL, PROC_STREAM_TERMINAL                   \
	}
#define AT_NULL                                                                                    \
	{                                                                                          \
		PROC_STREAM_NULL, PROC_STREAM_NULL, PROC_STREAM_NULL                               \
	}
#define AT_FILE                                                                                    \
	{                                                                                          \
		PROC_STREAM_NULL, PROC_STREAM_FILE, PROC_STREAM_FILE                               \
	}
#define AT_PIPES                                                                                   \
	{                                                                                          \
		PROC_STREAM_PIPE, PROC_STREAM_PIPE, PROC_STREAM_PIPE                               \
	}
#define AT_SOCKETS                                                                                 \
	{                                                                                          \
		PROC_STREAM_SOCKET, PROC_STREAM_SOCKET, PROC_STREAM_SOCKET                         \
	}
#define WRITERS_MAX_OF_TESTS 4

struct made {
	uint32_t pid, ppid;
	uint64_t start;	  /* 0: 100 times the pid */
	uint32_t session; /* 0: the pid's own */
	uint32_t group;	  /* likewise */
	uint32_t uid;	  /* 0: ME; UINT32_MAX: root */
	uint32_t terminal;
	uint32_t threads; /* 0: one */
	char state;
	bool is_foreground, is_deleted, is_of_kernel;
	const char *name, *executable, *directory, *package, *package_version;
	struct span arguments;
	uint8_t arguments_state;
	uint8_t executable_state; /* not measured: nothing but the figures and the name is told */
	/* Ties. */
	bool without_inputs;
	uint64_t pid_namespace; /* 0: the initial one */
	uint32_t inner_pid;	/* 0: the pid */
	struct span markers;
	uint8_t stream[3];
	uint64_t inode; /* of stream 0 */
	const char *output, *root;
	bool is_hangup_ignored, is_input_closed;
	uint8_t writer_state, writers_state, markers_state, namespace_state, stream_state;
	uint32_t writers[WRITERS_MAX_OF_TESTS];
	/* A session record. */
	const char *id, *id_version;
	uint64_t time_ns;
};

static struct buffer records;
static struct process_table process_table;

static struct record_tail made_text(struct sooth_text *to, const char *text)
{
	return (struct record_tail){ to, text ? text : "", text ? strlen(text) : 0 };
}

static inline struct sooth_record made_head(const struct made *m, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = m->time_ns ? m->time_ns : NS_PER_S,
		.start_ticks = m->start ? m->start : 100ull * m->pid,
		.pid = m->pid,
		.kind = kind };
}

static inline void make_process(const struct made *m, size_t fixed)
{
	struct proc_process p = { .record = made_head(m, PROC_PROCESS),
		.ppid = m->ppid,
		.uid = m->uid == UINT32_MAX ? 0
		       : m->uid		    ? m->uid
					    : ME,
		.session = m->session ? m->session : m->pid,
		.process_group = m->group ? m->group : m->pid,
		.terminal = m->terminal,
		.state = m->state ? m->state : 'S',
		.threads = m->threads ? m->threads : 1,
		.is_deleted = m->is_deleted,
		.arguments_state = m->arguments_state,
		.executable_state = m->executable_state,
		.is_brief = m->executable_state != SOOTH_STATE_VALUE,
		.vsz_bytes = m->executable_state && !m->is_of_kernel ? 1 << 20 : 0,
		.is_foreground = m->is_foreground };
	struct record_tail tail[] = {
		made_text(&p.name, m->name ? m->name : "thing"),
		made_text(&p.executable, m->executable ? m->executable : "/usr/bin/thing"),
		made_text(&p.directory, m->directory ? m->directory : "/home/me/work"),
		{ &p.arguments, m->arguments.data ? m->arguments.data : "", m->arguments.size },
		made_text(&p.package, m->package),
		made_text(&p.package_version, m->package_version),
	};

	/* Older ones have no package. */
	record_append(&records, &p.record, fixed, tail, fixed < sizeof(p) ? 4 : ARRAY_SIZE(tail));
}

static inline void make_links(const struct made *m)
{
	struct proc_ties t = { .record = made_head(m, PROC_LINKS),
		.pid_namespace = m->pid_namespace ? m->pid_namespace : HOST_NAMESPACE,
		.inner_pid = m->inner_pid ? m->inner_pid : m->pid,
		.stream_inode = { m->inode ? m->inode : 1000 + m->pid },
		.markers_state = m->markers_state,
		.namespace_state = m->namespace_state,
		.is_hangup_ignored = m->is_hangup_ignored,
		.has_writer = !m->is_input_closed,
		.writer_state = m->writer_state,
		.writers_state = m->writers_state };
	struct record_tail tail[] = {
		{ &t.markers, m->markers.data ? m->markers.data : "", m->markers.size },
		{ &t.writers, m->writers, 0 },
		made_text(&t.root, m->root),
		made_text(&t.stream_path[1], m->output),
		made_text(&t.stream_path[2], m->output),
	};

	memcpy(t.stream, m->stream, sizeof(t.stream));
	memset(t.stream_state, m->stream_state, sizeof(t.stream_state));
	while (tail[1].size / sizeof(uint32_t) < WRITERS_MAX_OF_TESTS &&
		m->writers[tail[1].size / sizeof(uint32_t)])
		tail[1].size += sizeof(uint32_t);
	RECORD_APPEND(&records, &t, tail, ARRAY_SIZE(tail));
}

static inline void make_session(const struct made *m)
{
	struct proc_session s = { .record = made_head(m, PROC_SESSION),
		.session_state = m->id && *m->id ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.version_state = m->id_version ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		made_text(&s.session, m->id),
		made_text(&s.version, m->id_version),
	};

	RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
}

static inline void make_snapshot(uint64_t from_ns, bool is_of_host, bool is_partial)
{
	struct proc_snapshot s = { .record = { .time_ns = from_ns + 2 * NS_PER_S,
					   .kind = PROC_SNAPSHOT },
		.from_ns = from_ns,
		.is_of_host = is_of_host,
		.is_partial = is_partial };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static inline void make_installed_at(
	uint32_t uid, const char *agent, const char *version, const char *path)
{
	struct proc_installed i = { .record = { .time_ns = 1, .kind = PROC_INSTALLED },
		.uid = uid };
	struct record_tail tail[] = { made_text(&i.agent, agent), made_text(&i.version, version),
		made_text(&i.path, path) };

	RECORD_APPEND(&records, &i, tail, ARRAY_SIZE(tail));
}

/* The versions in a folder of that user; false: they could be read after all. */
static inline void make_unread(uint32_t uid, bool is_unread)
{
	struct proc_installed i = { .record = { .time_ns = 1, .kind = PROC_INSTALLED },
		.uid = uid,
		.is_unread = is_unread };
	struct record_tail tail[] = { made_text(&i.path, "/somewhere") };

	RECORD_APPEND(&records, &i, tail, ARRAY_SIZE(tail));
}

static inline void make_installed(uint32_t uid, const char *agent, const char *version)
{
	make_installed_at(uid, agent, version, "/somewhere");
}

static inline void make(const struct made *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		make_process(&all[i], sizeof(struct proc_process));
		if (!all[i].without_inputs)
			make_links(&all[i]);
		if (all[i].id || all[i].id_version)
			make_session(&all[i]);
	}
}

static inline void take_all(void)
{
	const struct batch batch = { records.data, records.size };

	assert_false(buffer_failed(&records));
	batch_for_each (r, &batch)
		process_table_add_record(&process_table, r);
	buffer_reset(&records);
	assert_int_equal(process_table_resolve(&process_table), 0);
}

static inline int begin(void **state)
{
	(void)state;
	buffer_reset(&records);
	process_table_init(&process_table);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	process_table_fini(&process_table);
	buffer_fini(&records);
	return 0;
}

/* The whole host, seen by somebody who sees all. */
#define HOST(...)                                                                                  \
	do {                                                                                       \
		static const struct made all_[] = { { 1, 0, .start = 1, .name = "systemd" },       \
			__VA_ARGS__ };                                                             \
		make(all_, ARRAY_SIZE(all_));                                                      \
		make_snapshot(1, true, false);                                                     \
		take_all();                                                                        \
	} while (0)

static inline struct process_entry *the(uint32_t pid)
{
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(&process_table, &position))) {
		if (p->id.pid == pid)
			return p;
	}
	fail_msg("no process %u", pid);
	return NULL;
}

static inline const char *said(const struct sooth_text *text)
{
	static char copy[512];
	struct span s = process_table_text(&process_table, text);

	snprintf(copy, sizeof(copy), "%.*s", (int)s.size, s.data ? s.data : "");
	return copy;
}

static inline struct verdict judged(uint32_t pid, enum verdict_kind kind)
{
	struct verdict verdict;

	verdict_decide(&process_table, the(pid), kind, &verdict);
	return verdict;
}

#define assert_holds(number_, kind, words)                                                         \
	do {                                                                                       \
		struct verdict v_ = judged(number_, kind);                                         \
		if (!v_.holds || v_.state || !has(v_.why, words))                                  \
			fail_msg("%u is not %s: state %u, \"%s\"", (unsigned)(number_),            \
				verdict_name(kind), v_.state, v_.why);                             \
	} while (0)
#define assert_not(number_, kind)                                                                  \
	do {                                                                                       \
		struct verdict v_ = judged(number_, kind);                                         \
		if (v_.holds || v_.state)                                                          \
			fail_msg("%u is %s, or that is not known: state %u, \"%s\"",               \
				(unsigned)(number_), verdict_name(kind), v_.state, v_.why);        \
	} while (0)
#define assert_doubted(number_, kind, words)                                                       \
	do {                                                                                       \
		struct verdict v_ = judged(number_, kind);                                         \
		if (v_.holds || (v_.state & 15) != SOOTH_STATE_NOT_MEASURED ||                     \
			!has(v_.why, words))                                                       \
			fail_msg("%u being %s is no doubt: %d, state %u, \"%s\"",                  \
				(unsigned)(number_), verdict_name(kind), v_.holds, v_.state,       \
				v_.why);                                                           \
	} while (0)
#define assert_no_query(number_, kind)                                                             \
	do {                                                                                       \
		struct verdict v_ = judged(number_, kind);                                         \
		assert_false(v_.holds);                                                            \
		assert_int_equal(v_.state, SOOTH_STATE_ABSENT);                                    \
	} while (0)
#define assert_role(number_, role_)                                                                \
	do {                                                                                       \
		struct process_entry *p_ = the(number_);                                           \
		if (!p_->has_role || p_->role != (role_))                                          \
			fail_msg("%u is %s, not %s", (unsigned)(number_),                          \
				p_->has_role ? agent_role_name(p_->role) : "nothing",              \
				agent_role_name(role_));                                           \
	} while (0)
#define assert_in(number_, main_, link_)                                                           \
	do {                                                                                       \
		struct process_entry *p_ = the(number_);                                           \
		if (p_->main != the(main_) || p_->link != (link_))                                 \
			fail_msg("%u is in the session of %d by tie %d", (unsigned)(number_),      \
				p_->main ? (int)p_->main->id.pid : -1, p_->link);                  \
	} while (0)

#endif
