/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the monitor in one thread. Opening a FIFO for writing shows whether it has a reader; the
 * monitor tries that some times a second. It closes the FIFO after each batch, because programs
 * such as tail(1) read a pipe to its end before they print. Without a reader nothing is attached,
 * and no processes are searched for. */
#include "cli/monitor/monitor.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/selected/process_table_scan.h"
#include "cli/monitor/clients.h"
#include "cli/monitor/feed.h"
#include "cli/monitor/fifo_folder.h"
#include "cli/monitor/monitor_control.h"
#include "cli/monitor/phase_keeper.h"
#include "cli/terminal/stop.h"
#include "collect/observer.h"

#define HIDDEN_MAX 4096
#define LOOK_MS	   200 /* between two checks whether a FIFO has a reader, while none has */
#define BATCH_MS   100 /* between two batches for readers */
#define SCAN_NS	   (3 * NS_PER_S) /* between two scans for new agents */
/* tail(1) opens one FIFO after the other, each only when the monitor has opened it. */
#define GATHER_NS (500 * NS_PER_MS)
#define RETRY_NS  (10 * NS_PER_S) /* between two tries after a refusal */

struct pipe_feed {
	struct feed feed;
	struct line_queue queue; /* queue of the FIFO's reader */
	char name[32];
	bool has_reader, is_refused;
	bool is_idle;	   /* the reader was sent the reason why nothing is attached */
	bool is_stuck;	   /* the reader took nothing the last time */
	uint64_t retry_ns; /* time of the next try after a refusal */
	uint64_t since_ns; /* time since when it waits for the feed to share; 0: it does not wait */
};

struct monitor {
	const struct monitor_options *options;
	struct monitor_options current; /* options, after the settings were read again */
	struct user_folder folder;
	char folder_path[4096]; /* path of the folder as the kernel names it */
	bool is_folder_refused; /* the refusal was reported */
	struct pipe_feed pipes[FEEDS];
	struct feed *feeds[FEEDS];
	struct map hidden; /* hidden readers of all feeds */
	struct clients clients;
	struct monitor_control control;
	struct phase_keeper phases;
	struct metrics metrics;
	struct otlp_push push;
	struct alerts alerts;
	struct buffer pids;	 /* uint32_t: PIDs to observe */
	struct buffer processes; /* struct monitor_process of these PIDs */
	uint64_t scan_ns;	 /* time of the next scan for processes */
};

/* Reports an error once, until it is over. */
static void print_error_once(struct pipe_feed *p, struct sooth_error *err)
{
	if (!p->is_refused) {
		fprintf(stderr, "sooth: %s: cannot %s", p->name, err->tried);
		fprintf(stderr, err->why[0] ? ": %s\n" : "\n", err->why);
	}
	p->is_refused = true;
}

/* --- which processes --- */

static bool is_target(const struct monitor *m, const struct process_entry *p)
{
	const struct target_found *target = m->options->target;

	if (target && target->has_user)
		return p->process->uid == target->user && p->id.pid != (uint64_t)getpid();
	if (target && target->is_host)
		return p->id.pid != (uint64_t)getpid();
	if (!target)
		return p->link != PROCESS_LINK_NONE && p->id.pid != (uint64_t)getpid() &&
		       (!getuid() || p->process->uid == getuid());
	return target_found_has(target, &p->id);
}

/* Returns whether the process has no more records: it is a zombie. If only its first thread has
 * exited, the other threads have records. */
static bool has_ended(const struct process_entry *p)
{
	return p->zombie_ns && p->process->threads <= 1;
}

static void add_process(struct monitor *m, const struct process_entry *p)
{
	struct span name = process_table_field(&p->process->record, &p->process->name);
	struct monitor_process s = { .pid = (uint32_t)p->id.pid };

	memcpy(s.name, name.data, name.size < sizeof(s.name) - 1 ? name.size : sizeof(s.name) - 1);
	buffer_append(&m->pids, &s.pid, sizeof(s.pid));
	buffer_append(&m->processes, &s, sizeof(s));
}

static int find_processes(struct monitor *m, uint64_t now_ns, struct sooth_error *err)
{
	struct process_table table;
	const struct process_entry *p;
	size_t position = 0;
	int status;

	if (now_ns < m->scan_ns)
		return 0;
	m->scan_ns = now_ns + SCAN_NS;
	buffer_reset(&m->pids);
	buffer_reset(&m->processes);
	status = process_table_scan(&table, err);
	while (!status && (p = process_table_next(&table, &position))) {
		if (is_target(m, p) && !has_ended(p))
			add_process(m, p);
	}
	process_table_fini(&table);
	return status;
}

static size_t count_pids(const struct monitor *m)
{
	return m->pids.size / sizeof(uint32_t);
}

/* --- one FIFO --- */

/* Returns the target if it is every process of the host or of a user; NULL: single processes. */
static const struct target_found *whole_of(const struct monitor *m)
{
	const struct target_found *target = m->options->target;

	return target && (target->is_host || target->has_user) ? target : NULL;
}

static void hide_clients(struct monitor *m)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (m->clients.all[i].fd >= 0 && m->clients.all[i].pid)
			feed_hide(m->feeds[0], m->clients.all[i].pid);
	}
}

/* Returns whether to wait for a moment for the feed to share: once attached by itself, a feed keeps
 * a source of its own. */
static bool waits_for_source(struct pipe_feed *p, uint64_t now_ns)
{
	if (!p->feed.share || p->feed.share->observer)
		return false;
	if (!p->since_ns)
		p->since_ns = now_ns;
	return now_ns < p->since_ns + GATHER_NS;
}

/* Notes once for the reader why no records come. */
static void note_idle(const struct monitor *m, struct pipe_feed *p)
{
	if (!p->is_idle)
		feed_note(&p->feed,
			m->options->target ? "no selected process runs" : "no agent runs");
	p->is_idle = true;
}

static void attach_feed(struct monitor *m, struct pipe_feed *p, uint64_t now_ns)
{
	struct sooth_error err;

	const uint32_t *pids = (const uint32_t *)(const void *)m->pids.data;
	const struct target_found *whole = whole_of(m);

	if (p->feed.observer) {
		if (!whole)
			feed_add(&p->feed, pids, count_pids(m));
		return;
	}
	if (!whole && !count_pids(m)) {
		note_idle(m, p);
		return;
	}
	p->is_idle = false;
	if (now_ns < p->retry_ns || waits_for_source(p, now_ns))
		return;
	p->since_ns = 0;
	if (!(whole ? feed_start_all(&p->feed, whole, &err)
		    : feed_start(&p->feed, pids, count_pids(m), &err))) {
		p->is_refused = false;
		return;
	}
	p->retry_ns = now_ns + RETRY_NS;
	if (!p->is_refused)
		feed_note(&p->feed, err.why);
	print_error_once(p, &err);
}

static void report_lost_reader(struct pipe_feed *p)
{
	feed_remove_reader(&p->feed, &p->queue);
	p->has_reader = false;
}

/* Opens the FIFO, writes to it, and closes it. */
static void serve_fifo(struct monitor *m, struct pipe_feed *p)
{
	struct sooth_error err;
	int fd = fifo_open(&m->folder, p->name, &err);

	if (fd < 0) {
		report_lost_reader(p);
		if (fd != -ENXIO)
			print_error_once(p, &err);
		return;
	}
	if (!p->has_reader) {
		fifo_enlarge(fd);
		line_queue_begin(&p->queue, feed_name(p->feed.id));
		feed_add_reader(&p->feed, &p->queue, NULL);
		feed_put_state(&p->feed, &p->queue);
		p->retry_ns = m->scan_ns = 0;
		p->is_refused = p->is_idle = false;
	}
	p->has_reader = true;
	if (line_queue_write_all(&p->queue, fd, &p->is_stuck))
		report_lost_reader(p);
	close(fd);
}

/* Writes queued lines in the middle of a batch. The next service shows whether a reader is gone. */
static void drain(void *user, struct line_queue *queue)
{
	struct monitor *m = user;
	struct sooth_error ignored;

	for (size_t i = 0; i < FEEDS; i++) {
		struct pipe_feed *p = &m->pipes[i];
		int fd = &p->queue == queue ? fifo_open(&m->folder, p->name, &ignored) : -1;

		if (fd < 0)
			continue;
		line_queue_write_all(queue, fd, &p->is_stuck);
		close(fd);
	}
	clients_drain(&m->clients, queue);
}

static void print_failure(const struct sooth_error *err)
{
	fprintf(stderr, "sooth: cannot %s", err->tried);
	fprintf(stderr, err->why[0] ? ": %s\n" : "\n", err->why);
}

/* --- the folder --- */

/* Makes the folder again if it was removed or replaced: readers find it by its name. */
static void restore_folder(struct monitor *m)
{
	struct user_folder again;
	struct sooth_error err;
	int status;

	if (user_folder_is_there(&m->folder))
		return;
	status = fifo_folder_open(&again, m->options->fifo_folder, &err);
	if (!status) {
		user_folder_close(&m->folder);
		m->folder = again;
		status = clients_listen(&m->clients, &m->folder, &err);
	}
	if (status && !m->is_folder_refused)
		print_failure(&err);
	if (!status)
		fprintf(stderr, "sooth: %s was removed, and is there again\n", m->folder.path);
	m->is_folder_refused = status != 0;
}

/* --- samples of agents --- */

static void push_metrics(struct monitor *m)
{
	struct otlp_metrics *to = m->metrics.fleet && fleet_samples(m->metrics.fleet)
					  ? otlp_push_metrics(&m->push, clock_monotonic_ns())
					  : NULL;
	struct sooth_error err;

	if (to && metrics_put(&m->metrics, &otlp_metrics_sink, &(struct sink_options){ .user = to },
			  &err))
		print_failure(&err);
}

static void sample_agents(struct monitor *m)
{
	struct sooth_error err;

	push_metrics(m);
	otlp_push_step(&m->push, clock_monotonic_ns());
	if (phase_keeper_step(&m->phases, clock_monotonic_ns(), &err))
		print_failure(&err);
	if (metrics_step(&m->metrics, clock_monotonic_ns(), &err))
		print_failure(&err);
}

static int open_phases(struct monitor *m, const struct monitor_options *o, struct sooth_error *err)
{
	const struct phase_keeper_options keeper = { .target = o->target,
		.has_history = o->has_history,
		.folder = o->history_folder,
		.most_bytes = o->history_bytes,
		.sample_ns = o->sample_ns,
		.push = m->push.http ? &m->push : NULL,
		.fleet = m->metrics.fleet,
		.alerts = o->alerts ? &m->alerts : NULL };

	return phase_keeper_open(&m->phases, &keeper, err);
}

/* Opens what gets samples of agents: history, collector, metrics and alerts. */
static int open_sampling(struct monitor *m, struct sooth_error *err)
{
	const struct monitor_options *o = m->options;
	struct buffer url = { 0 };
	int status = metrics_open(&m->metrics, &o->metrics, o->target, err);

	if (o->alerts)
		alerts_init(&m->alerts, o->alerts);
	if (!status)
		status = otlp_push_open(&m->push, &o->otlp, err);
	if (!status)
		status = open_phases(m, o, err);
	if (!status && m->metrics.server) {
		http_server_url(m->metrics.server, &url);
		fprintf(stderr, "sooth: metrics are at %s\n", buffer_cstr(&url));
		buffer_fini(&url);
	}
	return status;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_history(const struct monitor_options *a, const struct monitor_options *b)
{
	return a->has_history == b->has_history && a->sample_ns == b->sample_ns &&
	       a->history_bytes == b->history_bytes &&
	       is_same_text(a->history_folder, b->history_folder);
}

static bool is_same_metrics(const struct metrics_options *a, const struct metrics_options *b)
{
	return is_same_text(a->http.address, b->http.address) &&
	       is_same_text(a->http.token_file, b->http.token_file) &&
	       is_same_text(a->http.tls, b->http.tls) && a->names == b->names &&
	       a->sessions_most == b->sessions_most && a->has_probes == b->has_probes;
}

static bool is_same_collector(const struct otlp_push_options *a, const struct otlp_push_options *b)
{
	return is_same_text(a->url, b->url) && is_same_text(a->headers_file, b->headers_file) &&
	       a->is_json == b->is_json && a->is_packed == b->is_packed &&
	       a->is_insecure == b->is_insecure;
}

/* Opens another history; if it cannot be opened, the one of before. */
static bool change_history(struct monitor *m, const struct monitor_options *now)
{
	struct sooth_error err;

	if (is_same_history(now, m->options))
		return true;
	phase_keeper_close(&m->phases);
	if (!open_phases(m, now, &err))
		return true;
	print_failure(&err);
	if (open_phases(m, m->options, &err))
		print_failure(&err);
	else
		fputs("sooth: the old settings stay\n", stderr);
	return false;
}

/* Reads the settings again; invalid settings change nothing. */
static void reload_settings(struct monitor *m)
{
	struct monitor_options now = *m->options;
	struct sooth_error err;

	if (!m->options->reload || !reload_was_requested())
		return;
	if (now.reload(now.user, &now, &err)) {
		print_failure(&err);
		return;
	}
	if (!change_history(m, &now)) {
		now.undo_reload(now.user);
		return;
	}
	if (!is_same_text(now.fifo_folder, m->options->fifo_folder))
		fputs("sooth: the folder of the FIFOs changes with the next start\n", stderr);
	if (!is_same_metrics(&now.metrics, &m->options->metrics))
		fputs("sooth: metrics change with the next start\n", stderr);
	if (!is_same_collector(&now.otlp, &m->options->otlp))
		fputs("sooth: the collector changes with the next start\n", stderr);
	m->current = now;
	m->options = &m->current;
	fputs("sooth: settings were read again\n", stderr);
}

/* --- all of them --- */

static bool has_readers(const struct monitor *m)
{
	for (size_t i = 0; i < FEEDS; i++) {
		if (m->pipes[i].feed.reader_count)
			return true;
	}
	return false;
}

/* Puts the running processes before the events. */
static void put_snapshot(const struct monitor *m, struct line_queue *queue)
{
	struct buffer line = { 0 };

	buffer_each (const struct monitor_process, p, &m->processes) {
		monitor_line_process(&line, p->pid, p->name);
		if (buffer_failed(&line))
			break;
		line_queue_put(queue, (const char *)line.data, line.size);
	}
	buffer_fini(&line);
}

static void put_snapshots(struct monitor *m, uint64_t now_ns)
{
	struct line_queue *queue = clients_next_new(&m->clients);
	struct sooth_error err;

	if (!queue)
		return;
	m->scan_ns = 0;
	find_processes(m, now_ns, &err);
	for (; queue; queue = clients_next_new(&m->clients))
		put_snapshot(m, queue);
}

static void step_feeds(struct monitor *m)
{
	int timeout_ms = BATCH_MS;
	struct sooth_error err;
	bool has_waited = false;

	for (size_t i = 0; i < FEEDS; i++) {
		struct pipe_feed *p = &m->pipes[i];

		if (!p->feed.observer || stop_is_selected())
			continue;
		if (feed_step(&p->feed, has_waited ? 0 : timeout_ms, &err))
			print_error_once(p, &err);
		if (!p->feed.observer) /* its processes have ended */
			m->scan_ns = 0;
		has_waited = true;
	}
	if (!has_waited)
		metrics_wait(&m->metrics, has_readers(m) ? BATCH_MS : LOOK_MS);
}

static void serve_readers(struct monitor *m)
{
	struct sooth_error err;
	const struct sooth_observer *o;
	uint64_t now_ns;

	restore_folder(m);
	for (size_t i = 0; i < FEEDS; i++)
		serve_fifo(m, &m->pipes[i]);
	clients_serve(&m->clients);
	now_ns = clock_monotonic_ns();
	if (has_readers(m)) {
		put_snapshots(m, now_ns);
		if (find_processes(m, now_ns, &err))
			buffer_reset(&m->pids);
		hide_clients(m);
	} else if (m->pipes[FEED_API_CALLS].feed.fleet) {
		buffer_reset(&m->pids);
		fleet_append_mains(m->metrics.fleet, &m->pids);
	} else {
		return;
	}
	for (size_t i = 0; i < FEEDS; i++) {
		if (m->pipes[i].feed.reader_count || m->pipes[i].feed.fleet)
			attach_feed(m, &m->pipes[i], now_ns);
	}
	o = m->pipes[FEED_API_CALLS].feed.observer;
	m->metrics.is_probing = o && !observer_is_lightened(o);
}

/* Scans now, however recent the last scan was. */
static int look_for_snapshot(void *user, struct sooth_error *err)
{
	struct monitor *m = user;

	m->scan_ns = 0;
	return find_processes(m, clock_monotonic_ns(), err);
}

static int open_control(struct monitor *m, struct sooth_error *err)
{
	m->control.feeds = m->feeds;
	m->control.look = look_for_snapshot;
	m->control.user = m;
	m->control.processes = &m->processes;
	return monitor_control_open(&m->control, m->options->control, err);
}

static int open_folder_and_pipes(struct monitor *m, struct sooth_error *err)
{
	int status = fifo_folder_open(&m->folder, m->options->fifo_folder, err);

	if (!status && !realpath(m->folder.path, m->folder_path))
		status = error_errno(err, -errno, "resolve %s", m->folder.path);
	map_init(&m->hidden, sizeof(uint32_t), 0, HIDDEN_MAX);
	for (size_t i = 0; i < FEEDS && !status; i++) {
		struct pipe_feed *p = &m->pipes[i];
		int fd;

		snprintf(p->name, sizeof(p->name), "%s.fifo", feed_name((enum feed_id)i));
		feed_init(&p->feed, (enum feed_id)i, m->folder_path, &m->hidden);
		p->feed.max_overhead_percent = m->options->max_overhead_percent;
		p->feed.buffer_bytes = p->queue.most = m->options->buffer_bytes;
		p->feed.drain = drain;
		p->feed.user = m;
		m->feeds[i] = &p->feed;
		fd = fifo_open(&m->folder, p->name, err);
		if (fd >= 0)
			close(fd);
		else if (fd != -ENXIO)
			status = fd;
	}
	m->pipes[FEED_API_CALLS].feed.share = &m->pipes[FEED_SYSCALLS].feed;
	m->clients.queue_bytes = m->options->buffer_bytes;
	if (!status)
		status = open_sampling(m, err);
	if (!status && m->options->metrics.has_probes)
		m->pipes[FEED_API_CALLS].feed.fleet = m->metrics.fleet;
	if (!status)
		status = clients_open(&m->clients, &m->folder, m->feeds, err);
	return status ? status : open_control(m, err);
}

static void close_clients_and_pipes(struct monitor *m)
{
	monitor_control_close(&m->control);
	clients_close(&m->clients);
	phase_keeper_close(&m->phases);
	m->push.metrics_ns = 0; /* the last values, whenever the ones before were sent */
	push_metrics(m);
	otlp_push_close(&m->push);
	m->pipes[FEED_API_CALLS].feed.fleet = NULL;
	metrics_close(&m->metrics);
	if (m->options->alerts)
		alerts_fini(&m->alerts);
	for (size_t i = 0; i < FEEDS; i++) {
		feed_fini(&m->pipes[i].feed);
		line_queue_fini(&m->pipes[i].queue);
	}
	if (m->hidden.key_size)
		map_fini(&m->hidden);
	user_folder_close(&m->folder);
	buffer_fini(&m->pids);
	buffer_fini(&m->processes);
}

int monitor_run(const struct monitor_options *options, struct sooth_error *err)
{
	assert(options);

	struct monitor m = { .options = options, .folder = { .fd = -1 } };
	uint64_t end_ns =
		options->duration_ns ? clock_monotonic_ns() + options->duration_ns : UINT64_MAX;
	struct sooth_error refusal;
	int status;

	control_init(&m.control.control);
	signal(SIGPIPE, SIG_IGN);
	stop_catch();
	if (options->reload)
		reload_catch();
	status = open_folder_and_pipes(&m, err);
	if (!status)
		fprintf(stderr, "sooth: records are in %s, while they are read; stop with Ctrl-C\n",
			m.folder.path);
	if (!status && feed_test(FEED_SYSCALLS, &refusal))
		fprintf(stderr, "sooth: no records come: cannot %s: %s; %s\n", refusal.tried,
			refusal.why, refusal.remedy);
	while (!status && !stop_is_selected() && clock_monotonic_ns() < end_ns) {
		serve_readers(&m);
		monitor_control_serve(&m.control);
		reload_settings(&m);
		sample_agents(&m);
		step_feeds(&m);
	}
	close_clients_and_pipes(&m);
	return status;
}
