/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of agents: their values, the bounds of their labels, and texts that break a format. The
 * sinks are openmetrics and prometheus. */
#include "shown.h"

#include "analyze/api/api_rows.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/fleet/fleet.h"
#include "base/units.h"
#include "explain/registry.h"
#include "model/phase_records.h"
#include "probes/proc.h"

#define CLAUDE "/home/me/.local/share/claude/versions/2.1.328"
#define UTC_S  1700000000ull /* at CLOCK_MONOTONIC 0 */

static const char *show(const struct fleet_options *options, const char *format)
{
	struct sooth_report *r = report_into(&shown, "test", "fleet", options, format);

	return show_report(r, format);
}

static void add_host(uint64_t now_s)
{
	struct stream_segment s = { .record = { .time_ns = now_s * NS_PER_S,
					    .kind = STREAM_SEGMENT },
		.ticks_per_s = 100,
		.realtime_offset_ns = (int64_t)(UTC_S * NS_PER_S) };
	struct record_tail tail[] = { { &s.hostname, "build-7", 7 },
		{ &s.sooth_version, "1.2", 3 } };

	RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
}

/* A main process of an agent, and its memory by class. */
static void add_main_of(uint32_t user, uint64_t now_s, uint32_t pid, uint64_t cpu_ms)
{
	struct sooth_record head = { .time_ns = now_s * NS_PER_S, .pid = pid, .start_ticks = 100 };
	struct proc_process p = { .record = head,
		.cpu_ns = cpu_ms * NS_PER_MS,
		.rss_bytes = 3 << 20,
		.uid = user,
		.descriptors = 7,
		.threads = 2,
		.state = 'S' };
	struct proc_ties t = { .record = head,
		.rss_anonymous_bytes = 2 << 20,
		.rss_file_bytes = 1 << 20,
		.swap_bytes = 4096 };
	struct record_tail tail[] = { { &p.name, "claude", 6 },
		{ &p.executable, CLAUDE, strlen(CLAUDE) } };

	p.record.kind = PROC_PROCESS;
	t.record.kind = PROC_LINKS;
	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
	RECORD_APPEND(&records, &t, NULL, 0);
}

static void add_main(uint64_t now_s, uint32_t pid, uint64_t cpu_ms)
{
	add_main_of(1000, now_s, pid, cpu_ms);
}

static void end_sample(uint64_t now_s)
{
	struct proc_snapshot s = { .record = { .time_ns = now_s * NS_PER_S, .kind = PROC_SNAPSHOT },
		.from_ns = now_s * NS_PER_S,
		.is_of_host = 1 };

	RECORD_APPEND(&records, &s, NULL, 0);
}

struct phase {
	uint32_t pid;
	uint64_t from_s, to_s;
	const char *state, *project, *model;
	uint64_t cpu_ms, input;
	uint8_t flags;
};

static void add_phase(struct phase from)
{
	struct phase_span p = { .record = { .time_ns = from.to_s * NS_PER_S,
					.pid = from.pid,
					.start_ticks = 100,
					.kind = PHASE_SPAN },
		.begin_ns = from.from_s * NS_PER_S,
		.end_utc_ns = (UTC_S + from.to_s) * NS_PER_S,
		.cpu_ns = from.cpu_ms * NS_PER_MS,
		.input_tokens = from.input,
		.io_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
		.flags = from.flags };
	const char *project = from.project ? from.project : "shop";
	struct record_tail tail[] = { tail_string(&p.state, from.state),
		tail_string(&p.agent, "claude"), tail_string(&p.project, project),
		tail_string(&p.model, from.model) };

	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
}

#define HAS(line)    assert_non_null(strstr(shown.data, line "\n"))
#define LACKS(piece) assert_null(strstr(shown.data, piece))

static size_t count_of(const char *piece)
{
	size_t count = 0;

	for (const char *at = shown.data; (at = strstr(at, piece)); at += strlen(piece))
		count++;
	return count;
}

static void values_of_a_sample(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		add_host(200 + 2 * i);
		add_main(200 + 2 * i, 10, 5000 + 250 * i);
		end_sample(200 + 2 * i);
	}
	show(NULL, "openmetrics");
	HAS("sooth_agent_cpu_seconds_total{agent=\"claude\",role=\"main\"} 0.500000000");
	HAS("sooth_agent_processes{agent=\"claude\",role=\"main\"} 1");
	HAS("sooth_agent_memory_bytes{agent=\"claude\",role=\"main\",class=\"anonymous\"} 2097152");
	HAS("sooth_agent_memory_bytes{agent=\"claude\",role=\"main\",class=\"swap\"} 4096");
	HAS("sooth_session_open_descriptors{agent=\"claude\",pid=\"10\"} 7");
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\",pid=\"10\"} 0.500000000");
	HAS("# UNIT sooth_session_cpu_seconds seconds");
	HAS("# TYPE sooth_session_cpu_seconds counter");
	HAS("sooth_build_info{version=\"1.2\"} 1");
	HAS("sooth_last_sample_timestamp_seconds 1700000204.000000000");
	HAS("sooth_sessions 1");
	assert_string_equal(shown.data + shown.size - 6, "# EOF\n");
	/* Nothing counted the watches: that is not 0. */
	LACKS("inotify_watches");
	/* One head for the four classes. */
	assert_int_equal(count_of("# TYPE sooth_session_memory_bytes"), 1);
}

static void the_older_format(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 2; i++) {
		add_host(200 + 2 * i);
		add_main(200 + 2 * i, 10, 1000);
		end_sample(200 + 2 * i);
	}
	show(NULL, "prometheus");
	HAS("# TYPE sooth_session_cpu_seconds_total counter");
	HAS("# TYPE sooth_build_info gauge");
	LACKS("# UNIT");
	LACKS("# EOF");
}

/* A thousand sessions have as many labels as the bound says, and lose no sum. */
static void labels_are_bounded(void **state)
{
	struct fleet_options options = { .sessions_most = 20 };

	(void)state;
	for (uint32_t pid = 1; pid <= 1000; pid++)
		add_phase((struct phase){
			pid, 100, 101, "runs_tool", NULL, "", 3, 10, PHASE_BEGINS });
	for (uint32_t pid = 1; pid <= 1000; pid++)
		add_phase(
			(struct phase){ pid, 101, 103, "computes", NULL, "", 3, 0, PHASE_BEGINS });
	show(&options, "prometheus");
	assert_int_equal(count_of("sooth_session_cpu_seconds_total{"), 21);
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\",project=\"shop\",pid=\"20\"} "
	    "0.006000000");
	HAS("sooth_session_cpu_seconds_total{agent=\"other\"} 5.880000000");
	HAS("sooth_session_tokens_total{agent=\"other\",direction=\"input\"} 9800");
	HAS("sooth_session_activity_seconds_total{agent=\"other\",state=\"computes\"} "
	    "1960.000000000");
	HAS("sooth_sessions_limit 20");
	HAS("sooth_sessions_folded 980");
}

/* Samples of a thousand processes: those without rows of their own are counted together. */
static void processes_beyond_the_bound_are_summed(void **state)
{
	struct fleet_options options = { .sessions_most = 20 };

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		add_host(200 + 2 * i);
		for (uint32_t pid = 1; pid <= 1000; pid++)
			add_main(200 + 2 * i, pid, 1000 + 10 * i);
		end_sample(200 + 2 * i);
	}
	show(&options, "openmetrics");
	HAS("sooth_agent_processes{agent=\"claude\",role=\"main\"} 1000");
	HAS("sooth_agent_cpu_seconds_total{agent=\"claude\",role=\"main\"} 20.000000000");
	HAS("sooth_session_processes{agent=\"other\"} 980");
	HAS("sooth_session_cpu_seconds_total{agent=\"other\"} 19.600000000");
	HAS("sooth_sessions 1000");
	assert_int_equal(count_of("sooth_session_processes{"), 21);
}

/* An ended session makes room; one that shares a row keeps to it, so that no sum falls. */
static void an_end_makes_room(void **state)
{
	struct fleet_options options = { .sessions_most = 1 };

	(void)state;
	add_phase((struct phase){ 1, 100, 101, "idle", NULL, "", 1000, 0, PHASE_IS_LAST });
	add_phase((struct phase){ 2, 101, 103, "idle", NULL, "", 2000, 0, 0 });
	show(&options, "prometheus");
	assert_int_equal(count_of("sooth_session_cpu_seconds_total{"), 1);
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\",project=\"shop\",pid=\"2\"} "
	    "2.000000000");
}

/* A wait begins with the request; that the agent asks again does not end it. */
static void waits_for_the_model(void **state)
{
	(void)state;
	add_phase((struct phase){ 1, 100, 101, "idle", NULL, "m-1", 0, 0, 0 });
	add_phase(
		(struct phase){ 1, 101, 103, "waits_for_model", NULL, "m-1", 0, 0, PHASE_BEGINS });
	add_phase((struct phase){ 1, 103, 104, "asks_again", NULL, "m-1", 0, 0, PHASE_BEGINS });
	add_phase((struct phase){ 1, 104, 105, "runs_tool", NULL, "m-1", 0, 0, PHASE_BEGINS });
	add_phase(
		(struct phase){ 1, 105, 106, "waits_for_model", NULL, "m-1", 0, 0, PHASE_BEGINS });
	add_phase((struct phase){ 1, 106, 107, "idle", NULL, "m-1", 0, 0, PHASE_BEGINS });
	show(NULL, "openmetrics");
	HAS("# TYPE sooth_model_wait_seconds histogram");
	HAS("sooth_model_wait_seconds_bucket{agent=\"claude\",model=\"m-1\",source=\"samples\",le="
	    "\"0.536870912\"} 0");
	HAS("sooth_model_wait_seconds_bucket{agent=\"claude\",model=\"m-1\",source=\"samples\",le="
	    "\"1.073741824\"} 1");
	HAS("sooth_model_wait_seconds_bucket{agent=\"claude\",model=\"m-1\",source=\"samples\",le="
	    "\"4.294967296\"} 2");
	HAS("sooth_model_wait_seconds_bucket{agent=\"claude\",model=\"m-1\",source=\"samples\",le="
	    "\"+Inf\"} 2");
	HAS("sooth_model_wait_seconds_sum{agent=\"claude\",model=\"m-1\",source=\"samples\"} "
	    "4.000000000");
	HAS("sooth_model_wait_seconds_count{agent=\"claude\",model=\"m-1\",source=\"samples\"} 2");
}

/* A name is one label value, whatever it holds: it adds no line, label or invalid character. */
static void hostile_names(void **state)
{
	(void)state;
	add_phase((struct phase){ 1, 100, 101, "idle", "a\"} 9\nsooth_sessions 7", "", 1, 0, 0 });
	add_phase((struct phase){
		2, 100, 101, "idle", "back\\slash\x1b[2J\xff\xe2\x80\xae", "", 1, 0, 0 });
	add_phase((struct phase){
		3, 100, 101, "idle", "éééééééééééééééééééééééééééééééééééé", "", 1, 0, 0 });
	show(NULL, "prometheus");
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\","
	    "project=\"a\\\"} 9\\\\nsooth_sessions 7\",pid=\"1\"} 0.001000000");
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\","
	    "project=\"back\\\\slash\\\\x1b[2J\\\\xff\\\\xe2\\\\x80\\\\xae\",pid=\"2\"} "
	    "0.001000000");
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\","
	    "project=\"ééééééééééééééééééééééééééééééé\",pid=\"3\"} 0.001000000");
	assert_int_equal(count_of("\nsooth_sessions "), 1);
}

static void names_can_be_hashed(void **state)
{
	struct name_key key = { 0 };
	struct fleet_options options = { .names = &key };

	(void)state;
	add_host(200);
	add_main(200, 10, 1000);
	end_sample(200);
	add_phase((struct phase){ 1, 100, 101, "idle", "merger-with-acme", "", 1, 0, 0 });
	show(&options, "prometheus");
	LACKS("acme");
	LACKS("build-7");
	assert_int_equal(count_of("sooth_host_info{host=\"host-"), 1);
	assert_int_equal(
		count_of("sooth_session_cpu_seconds_total{agent=\"claude\",project=\"project-"), 1);
}

/* Reads the records into sums that outlive the report, as a monitor does each hour. */
static void read_into(struct fleet *fleet)
{
	struct fleet_options options = { .kept = fleet };

	show(&options, "prometheus");
	buffer_reset(&records);
}

static void emit(struct fleet *fleet)
{
	struct sink_options options = { 0 };
	struct output *o;
	struct sooth_error err;

	text_free(&shown);
	text_open(&shown);
	options.stream = shown.stream;
	assert_int_equal(output_new(&o, &err), 0);
	assert_int_equal(output_add_sink(o, registry_sink("prometheus"), &options, &err), 0);
	assert_int_equal(output_begin(o, &(struct report_head){ "metrics", 1 }, &err), 0);
	assert_int_equal(fleet_emit(fleet, o, &err), 0);
	assert_int_equal(output_end(o, &err), 0);
	output_free(o);
	text_close(&shown);
}

static void add_samples(uint64_t from_s, uint64_t cpu_ms)
{
	for (uint64_t i = 0; i < 3; i++) {
		add_host(from_s + 2 * i);
		add_main(from_s + 2 * i, 10, cpu_ms + 100 * i);
		end_sample(from_s + 2 * i);
	}
}

/* A new observer goes on where the one before ended, and counts nothing twice. */
static void sums_outlive_an_observer(void **state)
{
	struct fleet *fleet;
	struct sooth_error err;

	(void)state;
	assert_int_equal(fleet_new(&fleet, NULL, &err), 0);
	add_samples(200, 5000);
	read_into(fleet);
	emit(fleet);
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\",pid=\"10\"} 0.200000000");
	add_samples(206, 5300);
	read_into(fleet);
	emit(fleet);
	HAS("sooth_samples_total 6");
	HAS("sooth_agent_cpu_seconds_total{agent=\"claude\",role=\"main\"} 0.500000000");
	/* Its own sums begin at the first sample of each. */
	HAS("sooth_session_cpu_seconds_total{agent=\"claude\",pid=\"10\"} 0.400000000");
	fleet_free(fleet);
}

static double value_of(const char *line)
{
	const char *at = strstr(shown.data, line);

	assert_non_null(at);
	return strtod(at + strlen(line), NULL);
}

static void add_crowd(uint64_t now_s, uint32_t most, uint32_t others)
{
	add_host(now_s);
	for (uint32_t pid = 1; pid <= most; pid++)
		add_main_of(1000, now_s, pid, 10 * now_s);
	for (uint32_t pid = 5001; pid <= 5000 + others; pid++)
		add_main_of(1001, now_s, pid, 10 * now_s);
	end_sample(now_s);
}

/* A user with a thousand processes that look like agents leaves an equal share of the rows to
 * another user, and the sum of the rest never falls. */
static void rows_are_shared_out(void **state)
{
	struct fleet_options options = { .sessions_most = 20 };
	struct fleet *fleet;
	struct sooth_error err;
	double rest = 0;

	(void)state;
	assert_int_equal(fleet_new(&fleet, &options, &err), 0);
	for (uint64_t now_s = 200; now_s < 208; now_s += 2)
		add_crowd(now_s, 1000, 0);
	read_into(fleet);
	emit(fleet);
	assert_int_equal(count_of("sooth_session_processes{agent=\"claude\""), 20);
	for (uint64_t round = 0; round < 3; round++) {
		double now = value_of("sooth_session_cpu_seconds_total{agent=\"other\"} ");

		assert_true(now >= rest);
		rest = now;
		for (uint64_t i = 0; i < 4; i++)
			add_crowd(208 + 8 * round + 2 * i, 1000, round ? 500 : 3);
		read_into(fleet);
		emit(fleet);
		assert_int_equal(count_of("sooth_session_processes{agent=\"claude\""), 20);
		assert_int_equal(count_of("sooth_session_processes{agent=\"claude\",pid=\"50"),
			round ? 10 : 3);
		HAS("sooth_session_processes{agent=\"claude\",pid=\"1\"} 1"); /* the oldest stays */
	}
	HAS("sooth_session_processes{agent=\"claude\",pid=\"5010\"} 1");
	HAS("sooth_session_processes{agent=\"other\"} 1480");
	fleet_free(fleet);
}

/* Others that come when all rows are taken do not reset the counters of those that stay. */
static void rows_that_stay_keep_their_sums(void **state)
{
	struct fleet_options options = { .sessions_most = 4 };
	struct fleet *fleet;
	struct sooth_error err;
	double before = 0;

	(void)state;
	assert_int_equal(fleet_new(&fleet, &options, &err), 0);
	for (uint64_t round = 0; round < 4; round++) {
		static const uint32_t new[] = { 0, 2, 5, 5 };
		double now;

		for (uint64_t i = 0; i < 4; i++)
			add_crowd(200 + 8 * round + 2 * i, new[round], 3);
		read_into(fleet);
		emit(fleet);
		now = value_of("sooth_session_cpu_seconds_total{agent=\"claude\",pid=\"5001\"} ");
		assert_true(now > before);
		before = now;
	}
	fleet_free(fleet);
}

/* Models are texts that an agent's log has: one user cannot take all rows with names of its own. */
static void models_are_shared_out(void **state)
{
	char model[32];

	(void)state;
	add_crowd(200, 1, 1);
	for (uint64_t i = 0; i < 300; i++) {
		snprintf(model, sizeof(model), "m-%u-of-long-name", (unsigned)i);
		add_phase((struct phase){
			1, 200 + i, 201 + i, "waits_for_model", NULL, model, 0, 0, PHASE_BEGINS });
	}
	add_phase((struct phase){
		1, 500, 501, "idle", NULL, "m-299-of-long-name", 0, 0, PHASE_BEGINS });
	add_phase((struct phase){
		5001, 300, 301, "waits_for_model", NULL, "mine", 0, 0, PHASE_BEGINS });
	add_phase((struct phase){ 5001, 301, 302, "idle", NULL, "mine", 0, 0, PHASE_BEGINS });
	show(NULL, "prometheus");
	assert_int_equal(
		count_of("sooth_model_wait_seconds_count{agent=\"claude\",model=\"m-"), 128);
	HAS("sooth_model_wait_seconds_count{agent=\"claude\",model=\"other\",source=\"samples\"} "
	    "172");
	HAS("sooth_model_wait_seconds_count{agent=\"claude\",model=\"mine\",source=\"samples\"} 1");
	HAS("sooth_label_sets_refused_total 0");
}

/* An API call of a process that took 3 s, of which the answer came after 2 s. */
static void add_call(struct fleet *fleet, uint32_t pid, const char *server, struct api_row row)
{
	struct buffer out = { 0 };
	struct record_tail tail[] = { tail_string(&row.endpoint, server),
		tail_string(&row.label, "Some API") };

	row.record.pid = pid;
	row.record.start_ticks = 100;
	row.record.time_ns = 13 * NS_PER_S;
	row.begin_ns = 10 * NS_PER_S;
	row.total_ns = 2 * NS_PER_S;
	row.event = row.event ? row.event : API_EVENT_END;
	row.is_exact = !row.is_exact;
	RECORD_APPEND(&out, &row, tail, ARRAY_SIZE(tail));
	fleet_add_call(fleet, &api_schema, (const void *)out.data);
	buffer_fini(&out);
}

#define CALLS "sooth_api_call_seconds_"
#define OF(host, outcome)                                                                          \
	"{agent=\"claude\",host=\"" host "\",provider=\"Some API\",outcome=\"" outcome             \
	"\",source=\"probes\""

static void api_calls(void **state)
{
	struct fleet *fleet;
	struct sooth_error err;
	char server[24];

	(void)state;
	assert_int_equal(fleet_new(&fleet, NULL, &err), 0);
	add_crowd(200, 1, 1);
	read_into(fleet);
	add_call(fleet, 1, "api", (struct api_row){ .outcome = API_ANSWERED });
	add_call(fleet, 1, "api",
		(struct api_row){ .outcome = API_RESET, .received_state = SOOTH_STATE_ABSENT });
	/* Not over, several at a time, only a part of one, of no main process. */
	add_call(fleet, 1, "not", (struct api_row){ .outcome = API_WAITING });
	add_call(fleet, 1, "not", (struct api_row){ .outcome = API_OPEN });
	add_call(fleet, 1, "not", (struct api_row){ .outcome = API_UNCERTAIN });
	add_call(fleet, 1, "not", (struct api_row){ .event = API_EVENT_ANSWER });
	add_call(fleet, 1, "not", (struct api_row){ .is_exact = true });
	add_call(fleet, 7, "not", (struct api_row){ .outcome = API_ANSWERED });
	add_call(fleet, 1, "a\"} 9\nsooth_sessions 7", (struct api_row){ 0 });
	emit(fleet);
	HAS(CALLS "bucket" OF("api", "answered") ",le=\"2.147483648\"} 1");
	HAS(CALLS "sum" OF("api", "answered") "} 2.000000000");
	HAS(CALLS "sum" OF("api", "reset") "} 3.000000000");
	LACKS("\"not\"");
	assert_int_equal(count_of("\nsooth_sessions "), 1);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(server, sizeof(server), "server-%u\xff", i);
		add_call(fleet, 1, server, (struct api_row){ 0 });
	}
	add_call(fleet, 5001, "mine", (struct api_row){ 0 });
	emit(fleet);
	assert_int_equal(count_of(CALLS "count{agent=\"claude\""), 128 + 1 + 1);
	HAS(CALLS "count" OF("mine", "answered") "} 1");
	HAS(CALLS
		"count{agent=\"claude\",host=\"other\",outcome=\"answered\",source=\"probes\"} 75");
	fleet_free(fleet);
}

static bool is_of_session_5(const void *target, const struct process_id *id)
{
	return id->pid == *(const uint64_t *)target;
}

static void only_what_is_selected(void **state)
{
	const uint64_t selected = 5;
	struct fleet_options options = { .is_selected = is_of_session_5, .target = &selected };

	(void)state;
	for (uint64_t now_s = 200; now_s < 206; now_s += 2)
		add_crowd(now_s, 9, 3);
	add_phase((struct phase){ 4, 100, 101, "idle", NULL, "", 1000, 0, 0 });
	show(&options, "prometheus");
	assert_int_equal(count_of("sooth_session_processes{"), 1);
	HAS("sooth_session_processes{agent=\"claude\",pid=\"5\"} 1");
	HAS("sooth_agent_processes{agent=\"claude\",role=\"main\"} 1");
	HAS("sooth_agent_cpu_seconds_total{agent=\"claude\",role=\"main\"} 0.040000000");
	LACKS("pid=\"4\"");
}

static void add_change_of(struct fleet *fleet, uint32_t pid, uint8_t change, const char *key)
{
	struct buffer out = { 0 };
	struct finding_change_row row = {
		.record = { .pid = pid, .start_ticks = 100 }, .state = change, .severity = 2
	};
	struct record_tail tail[] = { tail_string(&row.id, "cpu-spin"),
		tail_string(&row.agent, "claude"), tail_string(&row.key, key) };

	RECORD_APPEND(&out, &row, tail, ARRAY_SIZE(tail));
	fleet_add_finding(fleet, &finding_change_schema, (const void *)out.data);
	buffer_fini(&out);
}

static void add_change(struct fleet *fleet, uint8_t change, const char *key)
{
	add_change_of(fleet, 10, change, key);
}

/* A user with thousands of findings leaves room for those of others. */
static void findings_are_shared_out(void **state)
{
	struct fleet *fleet;
	struct sooth_error err;
	char key[16];

	(void)state;
	assert_int_equal(fleet_new(&fleet, NULL, &err), 0);
	add_crowd(200, 1, 1);
	read_into(fleet);
	for (unsigned i = 0; i < 17000; i++) {
		snprintf(key, sizeof(key), "%u", i);
		add_change_of(fleet, 1, FINDING_RAISED, key);
	}
	add_change_of(fleet, 5001, FINDING_RAISED, "mine");
	emit(fleet);
	HAS("sooth_findings{agent=\"claude\",pid=\"1\",finding=\"cpu-spin\",severity=\"medium\"} "
	    "4096");
	HAS("sooth_findings{agent=\"claude\",pid=\"5001\",finding=\"cpu-spin\",severity=\"medium\"}"
	    " "
	    "1");
	HAS("sooth_label_sets_refused_total 12904");
	fleet_free(fleet);
}

/* Findings hold until they clear, or a new diagnosis has not raised them again. */
static void findings_hold(void **state)
{
	struct fleet *fleet;
	struct sooth_error err;

	(void)state;
	assert_int_equal(fleet_new(&fleet, NULL, &err), 0);
	add_samples(200, 5000);
	read_into(fleet);
	add_change(fleet, FINDING_RAISED, "a");
	add_change(fleet, FINDING_RAISED, "a"); /* got worse */
	add_change(fleet, FINDING_RAISED, "b");
	emit(fleet);
	HAS("sooth_findings{agent=\"claude\",pid=\"10\",finding=\"cpu-spin\",severity=\"medium\"} "
	    "2");
	HAS("sooth_findings_raised_total{agent=\"claude\",finding=\"cpu-spin\"} 2");
	add_change(fleet, FINDING_CLEARED, "b");
	emit(fleet);
	HAS("sooth_findings{agent=\"claude\",pid=\"10\",finding=\"cpu-spin\",severity=\"medium\"} "
	    "1");
	add_samples(206, 5000);
	add_samples(290, 5000);
	read_into(fleet);
	emit(fleet);
	LACKS("sooth_findings{");
	HAS("sooth_findings_raised_total{agent=\"claude\",finding=\"cpu-spin\"} 2");
	fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_of_a_sample),
		TEST(the_older_format),
		TEST(labels_are_bounded),
		TEST(processes_beyond_the_bound_are_summed),
		TEST(an_end_makes_room),
		TEST(waits_for_the_model),
		TEST(hostile_names),
		TEST(names_can_be_hashed),
		TEST(sums_outlive_an_observer),
		TEST(findings_hold),
		TEST(rows_are_shared_out),
		TEST(rows_that_stay_keep_their_sums),
		TEST(models_are_shared_out),
		TEST(findings_are_shared_out),
		TEST(api_calls),
		TEST(only_what_is_selected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
