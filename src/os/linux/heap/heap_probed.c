/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_probed.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bpf/heap.h"
#include "os/linux/uprobes/trap_cost.h"
#include "os/os.h"

void heap_probed_measure(struct heap_attach *a, struct heap_hit_cost *out, const struct log *log)
{
	struct sooth_error err;
	uint32_t both_ns;
	int status;

	if (out->entry_ns)
		return;
	status = heap_attach_own(a, false, &err);
	if (status > 0) {
		out->entry_ns = trap_cost_function_ns();
		out->stepped_ns = trap_cost_stepped_ns();
		status = heap_attach_own(a, true, &err);
	}
	if (status > 0) {
		both_ns = trap_cost_function_ns();
		out->return_ns = both_ns > out->entry_ns ? both_ns - out->entry_ns : 0;
	}
	if (status < 0)
		log_line(log, LOG_WARNING, "what a probe takes: %s: %s", err.tried, err.why);
	heap_attach_own_over(a);
}

uint64_t heap_probed_ns(const struct heap_hit_cost *cost, const struct heap_probed_value *value)
{
	return value->programs_ns + value->entries * cost->entry_ns +
	       value->returns * cost->return_ns + value->stepped * cost->stepped_ns;
}

struct heap_probed_value heap_probed_sum(struct bpf_code *code)
{
	int map = bpf_code_map(code, "probed");
	struct heap_probed_key key, *last = NULL;
	struct heap_probed_value one, all = { 0 };

	for (int i = 0; i < HEAP_PROBED_ENTRIES && !bpf_map_get_next_key(map, last, &key); i++) {
		last = &key;
		if (bpf_map_lookup_elem(map, &key, &one))
			continue;
		all.programs_ns += one.programs_ns;
		all.entries += one.entries;
		all.returns += one.returns;
		all.stepped += one.stepped;
	}
	return all;
}

static void emit_overhead(const struct heap_hit_cost *cost, struct backend_run *run,
	const struct heap_probed_key *key, const struct heap_probed_value *value)
{
	struct heap_overhead overhead = { .record = { .time_ns = run->os->now_ns(run->os),
						  .start_ticks = key->start_ticks,
						  .pid = key->pid,
						  .kind = HEAP_OVERHEAD,
						  .cpu = SOOTH_CPU_NONE },
		.from_ns = value->from_ns,
		.hits_ns = value->to_ns > value->from_ns ? value->to_ns - value->from_ns : 0,
		.cpu_ns = value->cpu_ns,
		.programs_ns = value->programs_ns,
		.entries = value->entries,
		.returns = value->returns,
		.stepped = value->stepped,
		.entry_ns = cost->entry_ns,
		.return_ns = cost->return_ns,
		.stepped_ns = cost->stepped_ns,
		.cost_state = cost->entry_ns ? SOOTH_STATE_VALUE
					     : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.return_state = cost->return_ns ? SOOTH_STATE_VALUE
						: SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };

	overhead.probes_ns = heap_probed_ns(cost, value);
	memcpy(overhead.name, value->name, sizeof(overhead.name));
	RECORD_APPEND(&run->out, &overhead, NULL, 0);
}

void heap_probed_emit(
	const struct heap_hit_cost *cost, struct backend_run *run, struct bpf_code *code)
{
	int map = bpf_code_map(code, "probed");
	struct heap_probed_key key;
	struct heap_probed_value value;

	for (int i = 0; i < HEAP_PROBED_ENTRIES && !bpf_map_get_next_key(map, NULL, &key); i++) {
		if (!bpf_map_lookup_elem(map, &key, &value) && value.entries)
			emit_overhead(cost, run, &key, &value);
		bpf_map_delete_elem(map, &key);
	}
}
