/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/call_counts.h"

#include "probes/syscalls.h"

#define COUNTS_MAX 262144

struct key {
	struct process_id process;
	uint64_t tid;
	uint32_t number;
	uint32_t error; /* error; 0 in `counts` */
};

void call_counts_init(struct call_counts *c, uint32_t abi, uint64_t now_ns)
{
	*c = (struct call_counts){ .abi = abi, .written_ns = now_ns };
	map_init(&c->counts, sizeof(struct key), sizeof(struct syscalls_count), COUNTS_MAX);
	map_init(&c->errors, sizeof(struct key), sizeof(struct syscalls_error), COUNTS_MAX);
}

void call_counts_fini(struct call_counts *c)
{
	map_fini(&c->counts);
	map_fini(&c->errors);
}

void call_counts_add(struct call_counts *c, const struct counted_calls *k)
{
	struct key key = { .process = k->process, .tid = k->tid, .number = k->number };
	struct syscalls_count *sum = map_put(&c->counts, &key, NULL);
	struct syscalls_error *e;

	if (!sum) {
		c->refused += k->count;
		return;
	}
	sum->count += k->count;
	if (k->is_untimed) {
		sum->untimed += k->count;
	} else {
		uint32_t slot = k->slot < SYSCALLS_BUCKETS ? k->slot : SYSCALLS_BUCKETS - 1;

		sum->total_ns += k->total_ns;
		sum->max_ns = k->max_ns > sum->max_ns ? k->max_ns : sum->max_ns;
		sum->histogram[slot] += (uint32_t)k->count;
	}
	if (!k->error)
		return;
	sum->errors += k->count;
	key.error = k->error;
	e = map_put(&c->errors, &key, NULL);
	if (e)
		e->count += k->count;
}

static struct sooth_record record_head_of(const struct key *key, uint64_t now_ns, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = now_ns,
		.start_ticks = key->process.start_ticks,
		.pid = key->process.pid,
		.tid = (uint32_t)key->tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

void call_counts_write(struct call_counts *c, struct backend_run *run, uint64_t now_ns)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&c->counts, &position, &key, &value)) {
		struct syscalls_count *sum = value;

		sum->record = record_head_of(key, now_ns, SYSCALLS_COUNT);
		sum->from_ns = c->written_ns;
		sum->number = ((const struct key *)key)->number;
		sum->abi = c->abi;
		RECORD_APPEND(&run->out, sum, NULL, 0);
	}
	position = 0;
	while (map_next(&c->errors, &position, &key, &value)) {
		struct syscalls_error *e = value;

		e->record = record_head_of(key, now_ns, SYSCALLS_ERROR);
		e->from_ns = c->written_ns;
		e->number = ((const struct key *)key)->number;
		e->abi = c->abi;
		e->error = ((const struct key *)key)->error;
		RECORD_APPEND(&run->out, e, NULL, 0);
	}
	if (c->refused)
		backend_loss(run, c->refused, 0, "the table of counts was full");
	c->refused = 0;
	map_clear(&c->counts);
	map_clear(&c->errors);
	c->written_ns = now_ns;
}
