/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judging a process that is made of records, so that a detector can be asked about both sides of
 * each of its thresholds. The result comes as one line:
 *
 *   high/medium: opens descriptors ... [growth: 2 a second over 5.00s]   severity/confidence
 *   fine: 10 descriptors, then 10
 *   blind: too few samples
 *
 * A case has a maker with a value, so that the sick one and its healthy twin differ in that alone:
 *
 *	static const struct check_case cases[] = {
 *		{ "zombie-children", has_zombies, 5, NULL, "medium/high: thing (99) does not reap"
 *}, { "zombie-children", has_zombies, 4, NULL, "=fine: 4 zombies\n" },
 *	};
 *	TRY_CASES(cases);
 */
#ifndef SOOTH_TESTS_CHECK_RECORDS_H
#define SOOTH_TESTS_CHECK_RECORDS_H

#include "support.h"

#include "analyze/diagnosis/diagnosis.h"
#include "base/units.h"
#include "probes/limits.h"
#include "probes/proc.h"
#include "probes/waits.h"

#define PID	    99
#define FROM_S	    1000 /* when the observation begins, on the machine's clock */
#define LOOKS	    6	 /* a second each, where a maker says nothing else */
#define CLAUDE	    "/home/me/.local/share/claude/versions/2.1.50"
#define HOST_SAYS   0
#define REALTIME_NS (1700000000 * (int64_t)NS_PER_S)

#ifndef SOOTH_TESTS_PROCESS_TABLE_RECORDS_H /* which has them too */
static struct buffer records;
#endif
static struct text line_said;
static double started_s;	 /* of the process that is judged, on the same clock */
static const char *runs;	 /* its executable */
static const char *proxies = ""; /* in its environment */
static bool is_one_look;	 /* a single look, as of `sooth why` */

static inline uint64_t at(double s)
{
	return (uint64_t)((FROM_S + s) * (double)NS_PER_S);
}

static inline uint64_t start_of(uint32_t pid)
{
	return pid == PID ? (uint64_t)(started_s * 100) : 10 * pid + 1;
}

static inline struct sooth_record head_of(double s, uint32_t pid, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = at(s), .pid = pid, .start_ticks = pid ? start_of(pid) : 0, .kind = kind
	};
}

static inline struct record_tail put_text(struct sooth_text *to, const char *text)
{
	return (struct record_tail){ to, text ? text : "", text ? strlen(text) : 0 };
}

static inline void add_source(const char *probe)
{
	struct stream_source s = { .record = head_of(0, 0, STREAM_SOURCE) };
	struct record_tail tail[] = { put_text(&s.probe, probe) };

	RECORD_APPEND(&records, &s, tail, 1);
}

/* At the end of a snapshot of the process that is judged: connections with another one. */
static inline void put_peer(double s, struct waits_peer p)
{
	struct record_tail tail[] = { put_text(&p.peer_name, "node") };

	p.record = head_of(s, PID, WAITS_PEER);
	p.peer_pid = 77;
	p.peer_start_ticks = start_of(77);
	RECORD_APPEND(&records, &p, tail, 1);
}

/* Those that are judged; 0: no other. */
static inline void ask_for(uint32_t one, uint32_t other)
{
	struct stream_target target = { .record = head_of(0, 0, STREAM_TARGET) };
	uint32_t pids[] = { one, other };
	struct record_tail tail[] = { { &target.pids, pids, other ? sizeof(pids) : sizeof(*pids) },
		put_text(&target.selector, "host") };

	RECORD_APPEND(&records, &target, tail, 2);
}

/* An observation of the host for the one process, by all probes but those that a case adds itself.
 */
static inline void begin_stream(void)
{
	static const char *const probes[] = { "proc", "fds", "sockets", "threads", "maps", "limits",
		"host", "exit_reasons", "logs" };
	struct stream_segment segment = { .record = head_of(0, 0, STREAM_SEGMENT),
		.ticks_per_s = 100,
		.realtime_offset_ns = REALTIME_NS };
	struct stream_begin begin = { .record = head_of(0, 0, STREAM_BEGIN) };

	buffer_reset(&records);
	is_one_look = false;
	started_s = 10;
	runs = "/bin/thing";
	RECORD_APPEND(&records, &segment, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		add_source(probes[i]);
	ask_for(PID, 0);
	RECORD_APPEND(&records, &begin, NULL, 0);
}

/* --- processes --- */

/* `p` says what is not ordinary; its pid 0: the one that is judged. */
static inline void process_at(double s, struct proc_process p, const char *name)
{
	p.record = head_of(s, p.record.pid ? p.record.pid : PID, PROC_PROCESS);
	p.ppid = p.ppid ? p.ppid : 1;
	p.threads = p.threads ? p.threads : 1;
	p.state = p.state ? p.state : 'S';
	struct record_tail tail[] = { put_text(&p.name, name),
		put_text(&p.executable, p.record.pid == PID ? runs : "/bin/thing"),
		put_text(&p.proxies, proxies) };

	RECORD_APPEND(&records, &p, tail, 3);
}

/* A process that uses a limit up, together with the one that is judged; pid 0: none has it. */
static inline void used_by(
	double s, struct limits_holder h, const char *name, const char *place, const char *path)
{
	struct record_tail tail[] = { put_text(&h.place, place), put_text(&h.path, path) };

	h.record = head_of(s, PID, LIMITS_HOLDER);
	h.holder_start_ticks = start_of(h.holder_pid);
	strncpy(h.holder_name, name, sizeof(h.holder_name) - 1);
	RECORD_APPEND(&records, &h, tail, 2);
}

static inline void used_by_end(double s)
{
	struct limits_process end = { .record = head_of(s, PID, LIMITS_PROCESS) };

	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Whoever was told before and not at that time is gone. */
static inline void all_reported(double s)
{
	struct proc_snapshot snapshot = {
		.record = head_of(s + 0.001, 0, PROC_SNAPSHOT), .from_ns = at(s), .is_of_host = true
	};

	RECORD_APPEND(&records, &snapshot, NULL, 0);
}

/* It is there, looked at each second, and does nothing worth a word. */
static inline void is_there(void)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		all_reported(i);
	}
}

/* --- asking --- */

static inline void emit_evidence(const struct finding_row *f)
{
	struct span rows = record_text(&f->record, &f->evidence);
	struct batch all = { (const unsigned char *)rows.data, rows.size };

	batch_for_each (r, &all) {
		const struct finding_evidence_row *e = (const void *)r;
		struct span name = record_text(r, &e->name), text = record_text(r, &e->text);

		fprintf(line_said.stream, " [%.*s: %.*s]", (int)name.size, name.data,
			(int)text.size, text.data);
	}
}

static inline void emit_unseen(const struct finding_row *f)
{
	struct span unseen = record_text(&f->record, &f->unseen);

	for (size_t i = 0; i < unseen.size; i += strlen(unseen.data + i) + 1)
		fprintf(line_said.stream, " (unseen: %s)", unseen.data + i);
}

static inline void emit_subject(const struct finding_row *f)
{
	struct span rows = record_text(&f->record, &f->subject);
	const struct finding_subject_row *s = (const void *)rows.data;
	struct span path = record_text(&s->record, &s->path);
	struct span connection = record_text(&s->record, &s->connection);

	if (s->kind == FINDING_SUBJECT_THREAD)
		fprintf(line_said.stream, " {thread %u}", s->record.tid);
	if (s->kind == FINDING_SUBJECT_FD)
		fprintf(line_said.stream, " {fd %u}", s->fd);
	if (path.size)
		fprintf(line_said.stream, " {path %.*s}", (int)path.size, path.data);
	if (connection.size)
		fprintf(line_said.stream, " {connection %.*s}", (int)connection.size,
			connection.data);
}

static inline void emit_findings(const struct diagnosed *j, const char *id)
{
	static const char *const confidences[] = { "low", "medium", "high" };
	struct batch all = { j->findings.data, j->findings.size };

	batch_for_each (r, &all) {
		const struct finding_row *f = (const void *)r;
		struct span claim = record_text(r, &f->claim), remedy = record_text(r, &f->remedy);

		if (!span_equal(record_text(r, &f->id), id))
			continue;
		fprintf(line_said.stream, "%s/%s: %.*s", finding_severity_names.names[f->severity],
			confidences[f->confidence], (int)claim.size, claim.data);
		emit_subject(f);
		emit_evidence(f);
		emit_unseen(f);
		fprintf(line_said.stream, " <%.*s>\n", (int)remedy.size, remedy.data);
	}
}

static inline void emit_others(const struct diagnosed *j, const char *id)
{
	struct batch fine = { j->fine.data, j->fine.size },
		     blind = { j->blind.data, j->blind.size };

	batch_for_each (r, &fine) {
		const struct finding_fine_row *f = (const void *)r;
		struct span words = record_text(r, &f->words);

		if (span_equal(record_text(r, &f->id), id))
			fprintf(line_said.stream, "fine: %.*s\n", (int)words.size, words.data);
	}
	batch_for_each (r, &blind) {
		const struct finding_blind_row *b = (const void *)r;
		struct span reason = record_text(r, &b->reason),
			    remedy = record_text(r, &b->remedy);

		if (span_equal(record_text(r, &b->id), id))
			fprintf(line_said.stream, "blind: %.*s <%.*s>\n", (int)reason.size,
				reason.data, (int)remedy.size, remedy.data);
	}
}

static inline void set_all(struct check_settings *settings, const char *words)
{
	_cleanup_free_ char *copy = strdup(words ? words : "");
	struct sooth_error err;
	char *rest = copy, *word;

	check_settings_init(settings);
	while ((word = strsep(&rest, " ")))
		if (*word && check_settings_set(settings, word, &err))
			fail_msg("%s", word);
}

/* The line of a process, or with HOST_SAYS of the host; `settings` as for --set, blanks between. */
static inline const char *check_says(const char *id, uint32_t pid, const char *settings)
{
	const struct batch batch = { records.data, records.size };
	struct check_settings set;
	struct findings_options options = { .settings = &set, .is_one_look = is_one_look };
	struct diagnosis diagnosis = { 0 };
	struct sooth_error err;

	set_all(&set, settings);
	assert_false(buffer_failed(&records));
	assert_true(batch_check(&batch) > 0);
	assert_int_equal(diagnosis_init(&diagnosis, &options, &err), 0);
	diagnosis_input_add_batch(&diagnosis.input, &batch);
	assert_int_equal(diagnosis_run(&diagnosis, &err), 0);
	text_free(&line_said);
	text_open(&line_said);
	for (size_t i = 0; i < diagnosis.count; i++) {
		const struct diagnosed *j = &diagnosis.all[i];

		if (pid == HOST_SAYS ? !j->is_host : j->is_host || j->id.pid != pid)
			continue;
		emit_findings(j, id);
		emit_others(j, id);
	}
	diagnosis_fini(&diagnosis);
	return text_close(&line_said);
}

/* --- cases --- */

struct check_case {
	const char *finding;
	void (*make)(double value);
	double value;
	const char *settings;
	/* How the line begins, and behind each "|" what else is in it, or with "!" is not; behind
	 * "=" all of it. */
	const char *says;
};

/* "orphan" of the process that it is about, "200 orphan" of another one, "host orphan" of the host.
 */
static inline const char *case_says(const struct check_case *c)
{
	const char *blank = strchr(c->finding, ' ');
	uint32_t pid = blank ? (uint32_t)strtoul(c->finding, NULL, 10) : PID;

	begin_stream();
	c->make(c->value);
	return check_says(blank ? blank + 1 : c->finding, pid, c->settings);
}

static inline bool is_as_said(const char *line, const char *says)
{
	_cleanup_free_ char *copy = strdup(says);
	char *rest = copy, *word = strsep(&rest, "|");

	if (*says == '=')
		return !strcmp(line, says + 1);
	if (strncmp(line, word, strlen(word)) != 0)
		return false;
	while ((word = strsep(&rest, "|")))
		if (*word == '!' ? has(line, word + 1) : !has(line, word))
			return false;
	return true;
}

/* All are tried before it fails. */
static inline void try_cases(const struct check_case *cases, size_t count)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const struct check_case *c = &cases[i];
		const char *line = case_says(c);

		if (is_as_said(line, c->says))
			continue;
		wrong++;
		print_message("%zu, %s with %g, %s: not \"%s\"\n    but %s\n", i, c->finding,
			c->value, c->settings ? c->settings : "", c->says, line);
	}
	buffer_fini(&records);
	text_free(&line_said);
	assert_int_equal(wrong, 0);
}
#define TRY_CASES(cases) try_cases(cases, ARRAY_SIZE(cases))

#endif
