/* SPDX-License-Identifier: BSD-2-Clause */
/* The attached sources, and the observers that use them. */
#include "collect/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agents_found.h"
#include "collect/overhead.h"
#include "os/os.h"

#define HUB_SOURCES_MAX	  64
#define HUB_USERS_MAX	  16
#define HUB_PROCESSES_MAX 65536
#define HUB_BACKENDS_MAX  8 /* backends of one probe */
#define INTEREST_KINDS	  3

struct hub_source {
	struct backend_run run;
	unsigned users;
	unsigned started;
	struct map wanted; /* process_id -> struct wanted */
	struct overhead overhead;
	bool is_detached; /* its overhead was too high even after the last step */
};

/* Number of observers that request each kind of interest in a process. */
struct wanted {
	uint16_t users[INTEREST_KINDS];
	uint64_t cpu_ns; /* CPU time before it was observed */
};

struct hub_user {
	hub_receiver receiver;
	void *user;
};

struct hub {
	unsigned references;
	const struct os *os;
	struct log log;
	struct hub_source *sources[HUB_SOURCES_MAX];
	struct hub_user users[HUB_USERS_MAX];
	struct agents_found agents_found;
};

int hub_new(struct hub **out, const struct os *os, const struct log *log, struct sooth_error *err)
{
	struct hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return error_no_memory(err);
	hub->references = 1;
	hub->os = os;
	if (log)
		hub->log = *log;
	*out = hub;
	return 0;
}

struct hub *hub_ref(struct hub *hub)
{
	hub->references++;
	return hub;
}

void hub_unref(struct hub *hub)
{
	if (!hub || --hub->references)
		return;
	buffer_fini(&hub->agents_found.processes);
	buffer_fini(&hub->agents_found.silent);
	free(hub);
}

uint64_t hub_agent_arrivals(const struct hub *hub)
{
	return hub->agents_found.arrivals;
}

const struct os *hub_os(const struct hub *hub)
{
	return hub->os;
}

int hub_join(struct hub *hub, hub_receiver receiver, void *user, struct sooth_error *err)
{
	for (size_t i = 0; i < HUB_USERS_MAX; i++) {
		if (hub->users[i].receiver)
			continue;
		hub->users[i] = (struct hub_user){ receiver, user };
		return 0;
	}
	return error_set(err, -EUSERS, SOOTH_FAULT_USAGE,
		"share a hub among more than %d observers", HUB_USERS_MAX);
}

void hub_leave(struct hub *hub, void *user)
{
	if (hub->log.user == user)
		hub->log = (struct log){ 0 };
	for (size_t i = 0; i < HUB_USERS_MAX; i++) {
		if (hub->users[i].user == user)
			hub->users[i] = (struct hub_user){ 0 };
	}
}

bool hub_is_shared(const struct hub_source *source)
{
	return source->started > 1;
}

bool hub_is_lightened(const struct hub_source *source)
{
	return source->overhead.is_light;
}

bool hub_has_lost_comings(const struct hub_source *source)
{
	return source->run.has_lost_comings;
}

const struct backend *hub_source_backend(const struct hub_source *source)
{
	return source->run.backend;
}

/* --- opening --- */

/* Checks permission: an attached backend (it has a drain) could see more than the caller may.
 * Samples read files as the caller, and iterators check each process (os/linux/bpf/bpf.c). */
static int check_permission(const struct backend *backend, const struct os *os,
	const struct process_id *process, struct sooth_error *err)
{
	if (!backend->drain || backend->admits_itself || !os->may_watch)
		return 0;
	return os->may_watch(os, process, err);
}

static int test_backend(const struct backend *backend, const struct os *os,
	const struct probe_options *options, struct sooth_error *err)
{
	int status = backend_test_needs(backend, os, err);

	return status || !backend->suits ? status : backend->suits(options, err);
}

static int source_open(struct hub *hub, const struct backend *backend,
	const struct probe_options *options, struct hub_source **out, struct sooth_error *err)
{
	int status = test_backend(backend, hub->os, options, err);
	struct hub_source *source;

	if (!status && (options->is_host || options->has_uid))
		status = check_permission(backend, hub->os, NULL, err);
	if (status)
		return status;
	source = calloc(1, sizeof(*source));
	if (!source)
		return error_no_memory(err);
	source->run = (struct backend_run){ .backend = backend,
		.os = hub->os,
		.log = &hub->log,
		.options = *options,
		.agents_found = &hub->agents_found,
		.state = calloc(1, backend->state_size + 1) };
	map_init(&source->wanted, sizeof(struct process_id), sizeof(struct wanted),
		HUB_PROCESSES_MAX);
	status = probe_options_keep(&source->run.options, err);
	if (!source->run.state)
		status = error_no_memory(err);
	else if (!status && backend->open)
		status = backend->open(&source->run, err);
	if (status) {
		buffer_fini(&source->run.out);
		free(source->run.state);
		probe_options_fini(&source->run.options);
		free(source);
		return status;
	}
	*out = source;
	return 0;
}

static bool is_shareable(
	const struct hub_source *source, const char *probe, const struct probe_options *options)
{
	return source->run.backend->drain && !strcmp(source->run.backend->probe, probe) &&
	       probe_options_match(&source->run.options, options);
}

static size_t free_slot(const struct hub *hub)
{
	size_t i = 0;

	while (i < HUB_SOURCES_MAX && hub->sources[i])
		i++;
	return i;
}

static int source_share(struct hub *hub, const char *probe, const struct probe_options *options,
	struct hub_source **out)
{
	for (size_t i = 0; i < HUB_SOURCES_MAX; i++) {
		struct hub_source *source = hub->sources[i];

		if (!source || !is_shareable(source, probe, options))
			continue;
		source->users++;
		*out = source;
		return 0;
	}
	return -ENOENT;
}

/* Adds a refusal. Successive backends with the same reason share one line: "mixed, tracefs: use
 * BPF: ...". */
static void note_refusal(
	struct buffer *refusals, const struct backend *backend, const struct sooth_error *err)
{
	struct buffer reason = { 0 };

	buffer_format(&reason, ": %s", err->tried);
	if (err->why[0])
		buffer_format(&reason, ": %s", err->why);
	if (!refusals->size) {
		buffer_string(refusals, backend->name);
	} else if (refusals->size > reason.size &&
		   !memcmp(refusals->data + refusals->size - reason.size, reason.data,
			   reason.size)) {
		refusals->size -= reason.size;
		buffer_format(refusals, ", %s", backend->name);
	} else {
		buffer_format(refusals, "; %s", backend->name);
	}
	buffer_append(refusals, reason.data, reason.size);
	buffer_fini(&reason);
}

/* A backend that could serve, and the cost of one of its samples. */
struct candidate {
	const struct backend *backend;
	uint64_t cost;
};

/* Lists the probe's candidates, the cheapest first; equal ones stay in the order of their ranks. */
static size_t list_candidates(const struct os *os, const char *probe,
	const struct probe_options *options, struct candidate list[HUB_BACKENDS_MAX])
{
	size_t count = 0, at;

	for (size_t i = 0; os->backends[i] && count < HUB_BACKENDS_MAX; i++) {
		struct candidate c = { .backend = os->backends[i] };

		if (strcmp(c.backend->probe, probe))
			continue;
		if (c.backend->sample_cost)
			c.cost = c.backend->sample_cost(options);
		if (c.cost == UINT64_MAX)
			continue;
		for (at = count++; at && list[at - 1].cost > c.cost; at--)
			list[at] = list[at - 1];
		list[at] = c;
	}
	return count;
}

/* `refusal`: of the last candidate; NULL: there was none. */
static int refuse_probe(const struct os *os, const char *probe, const struct sooth_error *refusal,
	struct sooth_error *err)
{
	if (refusal) {
		if (err)
			*err = *refusal;
		return refusal->code;
	}
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "observe %s", probe);
	error_why(err, "not available on this system (%s)", os->name);
	return error_remedy(err, "`sooth doctor` lists what this system offers");
}

int hub_acquire(struct hub *hub, const char *probe, const struct probe_options *options,
	struct hub_source **out, struct buffer *refusals, struct sooth_error *err)
{
	struct candidate list[HUB_BACKENDS_MAX];
	size_t slot = free_slot(hub), count;
	struct sooth_error refusal;

	if (!source_share(hub, probe, options, out))
		return 0;
	if (slot == HUB_SOURCES_MAX)
		return error_set(err, -EUSERS, SOOTH_FAULT_USAGE,
			"open more than %d data sources (probes times methods)", HUB_SOURCES_MAX);
	count = list_candidates(hub->os, probe, options, list);
	for (size_t i = 0; i < count; i++) {
		if (!source_open(hub, list[i].backend, options, out, &refusal)) {
			log_line(&hub->log, LOG_DEBUG, "opened %s by %s", probe,
				list[i].backend->name);
			(*out)->users = 1;
			hub->sources[slot] = *out;
			return 0;
		}
		log_line(&hub->log, LOG_DEBUG, "cannot open %s by %s: %s: %s", probe,
			list[i].backend->name, refusal.tried, refusal.why);
		note_refusal(refusals, list[i].backend, &refusal);
	}
	return refuse_probe(hub->os, probe, count ? &refusal : NULL, err);
}

int hub_choose(const struct os *os, const char *probe, const struct probe_options *options,
	const struct process_id *process, const struct backend **out, struct buffer *refusals,
	struct sooth_error *err)
{
	struct candidate list[HUB_BACKENDS_MAX];
	size_t count = list_candidates(os, probe, options, list);
	bool is_of_some = process || options->is_host || options->has_uid;
	struct sooth_error refusal;

	for (size_t i = 0; i < count; i++) {
		*out = list[i].backend;
		if (!test_backend(*out, os, options, &refusal) &&
			(!is_of_some || !check_permission(*out, os, process, &refusal)))
			return 0;
		note_refusal(refusals, *out, &refusal);
	}
	return refuse_probe(os, probe, count ? &refusal : NULL, err);
}

void hub_release(struct hub *hub, struct hub_source *source)
{
	if (!source || --source->users)
		return;
	log_line(&hub->log, LOG_DEBUG, "close %s", source->run.backend->probe);
	if (source->run.backend->close)
		source->run.backend->close(&source->run);
	for (size_t i = 0; i < HUB_SOURCES_MAX; i++) {
		if (hub->sources[i] == source)
			hub->sources[i] = NULL;
	}
	map_fini(&source->wanted);
	buffer_fini(&source->run.out);
	free(source->run.state);
	probe_options_fini(&source->run.options);
	free(source);
}

/* --- who wants what --- */

static unsigned selected_interest(const struct wanted *w)
{
	unsigned interest = 0;

	for (unsigned i = 0; i < INTEREST_KINDS; i++)
		interest |= w->users[i] ? 1u << i : 0;
	return interest;
}

/* Checks permission again after marking a process: it may have gained privilege before. Later,
 * backends release a process at the exec that gains privilege. */
static int set_interest(struct hub_source *source, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	const struct backend *backend = source->run.backend;
	/* A launched command belongs to the caller: it runs with the caller's ids. */
	bool is_asked = interest && !(interest & INTEREST_FROM_EXEC);
	struct sooth_error ignored;
	int status = is_asked ? check_permission(backend, source->run.os, process, err) : 0;

	if (!status)
		status = backend->set(&source->run, process, interest, err);
	if (status || !is_asked || !check_permission(backend, source->run.os, process, &ignored))
		return status;
	backend->set(&source->run, process, 0, &ignored);
	error_set(err, -EAGAIN, SOOTH_FAULT_INTERNAL, "watch process %u", (unsigned)process->pid);
	error_why(err, "the process gained privilege, or ended, while sooth attached to it");
	return error_remedy(err, "run the command again");
}

static int change_selected(struct hub_source *source, const struct process_id *process,
	unsigned interest, int by, bool is_followed, struct sooth_error *err)
{
	const struct os *os = source->run.os;
	bool is_new;
	struct wanted *w = map_put(&source->wanted, process, &is_new);
	unsigned before, after;

	if (!w)
		return error_set(err, -ENOSPC, SOOTH_FAULT_UNSUPPORTED,
			"observe more than %d processes", HUB_PROCESSES_MAX);
	if (is_new && !is_followed && os->cpu_ns &&
		source->run.options.observer.max_overhead_percent)
		w->cpu_ns = os->cpu_ns(os, process);
	before = selected_interest(w);
	for (unsigned i = 0; i < INTEREST_KINDS; i++) {
		if (interest & 1u << i && (by > 0 || w->users[i]))
			w->users[i] = (uint16_t)(w->users[i] + by);
	}
	after = selected_interest(w);
	if (!after)
		map_remove(&source->wanted, process);
	if (is_followed || before == after || !source->run.backend->set || source->is_detached)
		return 0;
	if (after)
		after |= interest & INTEREST_FROM_EXEC;
	return set_interest(source, process, after, err);
}

void hub_request_lines(struct hub_source *source)
{
	source->run.options.observer.profile.has_source_lines = true;
}

int hub_want(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err)
{
	return change_selected(source, process, interest, 1, is_followed, err);
}

int hub_unwant(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err)
{
	return change_selected(source, process, interest, -1, is_followed, err);
}

bool hub_is_wanted(const struct hub_source *source, const struct process_id *process)
{
	return map_get(&source->wanted, process) != NULL;
}

/* --- records --- */

static int deliver_batch(struct hub *hub, struct hub_source *source, struct sooth_error *err)
{
	struct batch batch = { source->run.out.data, source->run.out.size };
	int status = 0;

	if (buffer_failed(&source->run.out))
		return error_no_memory(err);
	for (size_t i = 0; batch.size && i < HUB_USERS_MAX && !status; i++) {
		if (hub->users[i].receiver)
			status = hub->users[i].receiver(hub->users[i].user, source, &batch, err);
	}
	buffer_reset(&source->run.out);
	return status;
}

int hub_start(struct hub *hub, struct hub_source *source, struct sooth_error *err)
{
	int status = 0;

	if (!source->started)
		overhead_begin(&source->overhead, &source->run, hub->os->now_ns(hub->os));
	if (source->started++ == 0 && source->run.backend->start)
		status = source->run.backend->start(&source->run, err);
	return status ? status : deliver_batch(hub, source, err);
}

int hub_stop(struct hub *hub, struct hub_source *source, struct sooth_error *err)
{
	const struct backend *backend = source->run.backend;
	int status = 0;

	if (source->started && --source->started == 0 && backend->stop && !source->is_detached)
		status = backend->stop(&source->run, err);
	else if (backend->drain && !source->is_detached)
		status = backend->drain(&source->run, err);
	return status ? status : deliver_batch(hub, source, err);
}

void hub_forget(struct hub_source *source)
{
	if (source->started)
		source->started--;
}

int hub_drain(struct hub *hub, struct hub_source *source, struct sooth_error *err)
{
	int status = source->is_detached ? 0 : source->run.backend->drain(&source->run, err);

	return status ? status : deliver_batch(hub, source, err);
}

int hub_sample(struct hub *hub, struct hub_source *source, struct sooth_error *err)
{
	int status = 0;

	if (source->run.backend->sample)
		status = source->run.backend->sample(&source->run, err);
	return status ? status : deliver_batch(hub, source, err);
}

int hub_launching(struct hub_source *source, struct launch *launch, struct sooth_error *err)
{
	const struct backend *backend = source->run.backend;

	return backend->launching ? backend->launching(&source->run, launch, err) : 0;
}

void hub_joined(struct hub_source *source, const struct process_id *process)
{
	if (source->run.backend->joined)
		source->run.backend->joined(&source->run, process);
}

/* --- overhead --- */

/* Returns the CPU time of the target since its begin. A child that ends goes on in the time of the
 * parent that has waited for it. */
static uint64_t cpu_ns_of_target(const struct hub_source *source, uint64_t now)
{
	const struct os *os = source->run.os;
	struct host_facts facts;
	uint64_t ns = 0;

	if (source->run.options.is_host || source->run.options.has_uid) {
		os->host(os, &facts);
		return (now - source->overhead.began_ns) * facts.cpus;
	}
	map_for_each (
		&source->wanted, const struct process_id *, process, const struct wanted *, w) {
		uint64_t cpu_ns = os->cpu_ns ? os->cpu_ns(os, process) : 0;

		ns += cpu_ns > w->cpu_ns ? cpu_ns - w->cpu_ns : 0;
	}
	return ns;
}

/* Makes the backend observe less if its overhead is too high; in the end, detaches it. */
static int limit_overhead(struct hub_source *source, uint64_t now, struct sooth_error *err)
{
	struct backend_step step;
	struct backend_run *run = &source->run;
	unsigned percent;
	int status = 0;

	if (!overhead_is_due(&source->overhead, run, now))
		return 0;
	percent = overhead_measure(&source->overhead, run, cpu_ns_of_target(source, now), now);
	if (!percent)
		return 0;
	source->overhead.is_light = true;
	if (!run->backend->lighten(run, &step)) {
		source->is_detached = true;
		status = run->backend->stop(run, err);
	}
	overhead_report(&source->overhead, run, &step, percent, now);
	return status;
}

int hub_cycle(struct hub *hub, uint64_t *complete_ns, struct sooth_error *err)
{
	uint64_t now = hub->os->now_ns(hub->os), complete;
	int status = 0;

	*complete_ns = now;
	for (size_t i = 0; i < HUB_SOURCES_MAX && !status; i++) {
		struct hub_source *source = hub->sources[i];
		const struct backend *backend;

		if (!source || !source->started || source->is_detached)
			continue;
		backend = source->run.backend;
		if (backend->drain)
			status = backend->drain(&source->run, err);
		if (!status)
			status = limit_overhead(source, now, err);
		complete = backend->complete_ns ? backend->complete_ns(&source->run, now)
						: now - backend->lateness_ns;
		if (complete < *complete_ns)
			*complete_ns = complete;
		if (!status)
			status = deliver_batch(hub, source, err);
	}
	return status;
}

size_t hub_descriptors(const struct hub *hub, int *descriptors, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < HUB_SOURCES_MAX; i++) {
		struct hub_source *source = hub->sources[i];
		int fd;

		if (!source || !source->started || source->is_detached ||
			!source->run.backend->descriptor)
			continue;
		fd = source->run.backend->descriptor(&source->run);
		if (fd >= 0 && count < max)
			descriptors[count++] = fd;
	}
	return count;
}
