/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/threads/threads_again.h"

#include <string.h>

#include "base/cursor.h"
#include "model/batch.h"
#include "os/linux/proc/proc_stat.h"
#include "os/os.h"

#define PROCESSES_MAX 65536
#define TEXT_SIZE     64 /* three numbers; longer ones are not compared */

struct again_process {
	uint64_t cpu_ns; /* CPU time before the process was read */
	uint32_t sample;
	struct buffer records; /* struct threads_thread with their texts */
	struct buffer texts;   /* struct again_text of each record */
};

struct again_text {
	uint32_t size;
	char text[TEXT_SIZE];
};

void threads_again_init(struct threads_again *a)
{
	*a = (struct threads_again){ 0 };
	map_init(&a->processes, sizeof(struct process_id), sizeof(struct again_process),
		PROCESSES_MAX);
}

static void forget_process(struct threads_again *a, const void *key, struct again_process *p)
{
	buffer_fini(&p->records);
	buffer_fini(&p->texts);
	map_remove(&a->processes, key);
}

void threads_again_fini(struct threads_again *a)
{
	map_for_each (&a->processes, const void *, key, void *, value)
		forget_process(a, key, value);
	map_fini(&a->processes);
	buffer_fini(&a->before);
	buffer_fini(&a->texts);
}

void threads_again_begin(struct threads_again *a)
{
	map_for_each (&a->processes, const void *, key, void *, value) {
		if (((struct again_process *)value)->sample != a->sample)
			forget_process(a, key, value);
	}
	a->sample++;
}

/* Writes a copy with the current time: CPU shares are computed from it. */
static void write_again(struct backend_run *run, const struct sooth_record *record)
{
	size_t at = run->out.size;

	buffer_append(&run->out, record, record_bytes(record));
	if (!buffer_failed(&run->out))
		((struct sooth_record *)(void *)(run->out.data + at))->time_ns =
			run->os->now_ns(run->os);
}

static uint32_t write_kept_records(struct backend_run *run, const struct again_process *p)
{
	struct batch batch = { p->records.data, p->records.size };
	uint32_t count = 0;

	batch_for_each (record, &batch) {
		write_again(run, record);
		count++;
	}
	return count;
}

static void swap_buffers(struct buffer *one, struct buffer *other)
{
	struct buffer was = *one;

	*one = *other;
	*other = was;
}

bool threads_again_process(struct threads_again *a, struct backend_run *run,
	const struct process_id *id, uint32_t *count)
{
	uint64_t cpu_ns = 0;
	struct again_process *p;

	a->open = NULL;
	a->at = a->index = 0;
	buffer_reset(&a->before);
	buffer_reset(&a->texts);
	if (!id || !run->options.observer.sample_ns ||
		!proc_stat_cpu_clock((pid_t)id->pid, &cpu_ns) || !cpu_ns)
		return false;
	p = map_put(&a->processes, id, NULL);
	if (!p)
		return false;
	p->sample = a->sample;
	if (p->cpu_ns == cpu_ns && p->records.size) {
		*count = write_kept_records(run, p);
		return true;
	}
	p->cpu_ns = cpu_ns;
	swap_buffers(&p->records, &a->before);
	swap_buffers(&p->texts, &a->texts);
	a->open = p;
	return false;
}

/* Finds the record of a thread; NULL: there was none. Threads are listed by their number; after the
 * numbers wrapped around, the threads behind that point are read again. */
static const struct sooth_record *find_thread(struct threads_again *a, uint32_t tid)
{
	const struct sooth_record *record = NULL;

	while (a->at < a->before.size) {
		record = buffer_at(&a->before, a->at);
		if (record->tid >= tid)
			break;
		a->at += record_bytes(record);
		a->index++;
	}
	return a->at < a->before.size && record->tid == tid ? record : NULL;
}

/* Returns whether a thread has these counts: a kernel without them writes zeros. */
static bool has_counts(struct span schedstat)
{
	return schedstat.size && schedstat.size <= TEXT_SIZE && schedstat.data[0] != '0';
}

bool threads_again_thread(
	struct threads_again *a, struct backend_run *run, uint32_t tid, struct span schedstat)
{
	const struct again_text *texts = (const void *)a->texts.data;
	const struct sooth_record *record;
	size_t from = run->out.size;

	if (!a->open || !has_counts(schedstat))
		return false;
	record = find_thread(a, tid);
	if (!record || a->index >= a->texts.size / sizeof(*texts) ||
		texts[a->index].size != schedstat.size ||
		memcmp(texts[a->index].text, schedstat.data, schedstat.size))
		return false;
	write_again(run, record);
	threads_again_keep_record(a, run, from, schedstat);
	return true;
}

void threads_again_keep_record(
	struct threads_again *a, const struct backend_run *run, size_t from, struct span schedstat)
{
	struct again_text text = { 0 };

	if (!a->open || buffer_failed(&run->out))
		return;
	if (has_counts(schedstat)) {
		text.size = (uint32_t)schedstat.size;
		memcpy(text.text, schedstat.data, schedstat.size);
	}
	buffer_append(&a->open->records, run->out.data + from, run->out.size - from);
	buffer_append(&a->open->texts, &text, sizeof(text));
}

void threads_again_end(struct threads_again *a, bool is_whole)
{
	struct again_process *p = a->open;

	a->open = NULL;
	if (!p || (is_whole && !buffer_failed(&p->records) && !buffer_failed(&p->texts)))
		return;
	buffer_reset(&p->records);
	buffer_reset(&p->texts);
}
