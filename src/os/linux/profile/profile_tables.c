/* SPDX-License-Identifier: BSD-2-Clause */
/* Making unwind tables. */
#include "os/linux/profile/profile_tables.h"

#include <bpf/bpf.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/profile.h"

/* uapi/linux/bpf.h; headers of older systems lack them. */
#define TABLE_FLAGS (1u << 10 | 1u << 12) /* mappable, and of any length as an inner map */

struct profile_table_job {
	uint64_t key;
	int file;
	int unused;
};

struct profile_made {
	union unwind_entry *entries; /* mapped */
	size_t size;		     /* size of the mapping */
	uint32_t rules, rows;
};

static void publish_file(struct profile_tables *t, uint64_t key, const struct profile_file *file)
{
	bpf_map_update_elem(t->files, &key, file, BPF_ANY);
}

void profile_tables_none(struct profile_tables *t, uint64_t key)
{
	struct profile_file file = { .state = PROFILE_FILE_PLAIN };

	publish_file(t, key, &file);
}

/* Makes a BPF map with the rules and rows. The map stays mapped after they are written. */
static int fill_map(const struct unwind_table *table, struct profile_made *made)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = TABLE_FLAGS);
	uint32_t count = made->rules + made->rows;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sooth_unwind", sizeof(uint32_t),
		sizeof(*made->entries), count, &options);
	void *at;

	if (fd < 0)
		return fd;
	made->size = (size_t)count * sizeof(*made->entries);
	at = mmap(NULL, made->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		close(fd);
		return -errno;
	}
	made->entries = at;
	memcpy(made->entries, table->rules.data, table->rules.size);
	memcpy(made->entries + made->rules, table->rows.data, table->rows.size);
	return fd;
}

/* Reserves a place for a table; false: there is no room. */
static bool reserve_place(struct profile_tables *t, uint64_t key, uint32_t rows, uint32_t *place)
{
	bool has_room;

	pthread_mutex_lock(&t->lock);
	*place = (uint32_t)t->made.count;
	has_room = t->rows + rows <= PROFILE_ROWS_MAX && map_put(&t->made, &key, NULL);
	t->rows += has_room ? rows : 0;
	pthread_mutex_unlock(&t->lock);
	return has_room;
}

static void keep_table(struct profile_tables *t, uint64_t key, const struct profile_made *made)
{
	pthread_mutex_lock(&t->lock);
	*(struct profile_made *)map_get(&t->made, &key) = *made;
	pthread_mutex_unlock(&t->lock);
}

/* Adds a table; false: there is no room. */
static bool add_table(struct profile_tables *t, uint64_t key, const struct unwind_table *table)
{
	struct profile_made made = { .rules = (uint32_t)(table->rules.size /
							 sizeof(struct unwind_rule)),
		.rows = (uint32_t)(table->rows.size / sizeof(struct unwind_row)) };
	struct profile_file file = { PROFILE_FILE_READY, 0, made.rules, made.rows };
	int fd, status;

	if (!reserve_place(t, key, made.rows, &file.table))
		return false;
	fd = fill_map(table, &made);
	if (fd < 0)
		return false;
	/* The file comes first: the update of the tables takes effect at once, but returns only
	 * when no program runs that began before the update. */
	publish_file(t, key, &file);
	status = bpf_map_update_elem(t->tables, &file.table, &fd, BPF_ANY);
	close(fd); /* the other map keeps it alive */
	keep_table(t, key, &made);
	return !status;
}

static void make_table(struct profile_worker *w, const struct profile_table_job *job)
{
	struct profile_tables *t = w->tables;
	struct unwind_table table;
	int status = unwind_file_read(&w->timeout, job->file, &t->is_stopping, &table);

	close(job->file);
	if (status == -ECANCELED)
		return;
	if (status) {
		profile_tables_none(t, job->key);
		return;
	}
	t->cut += table.is_cut;
	if (!table.rows.size)
		profile_tables_none(t, job->key);
	else if (!add_table(t, job->key, &table))
		t->refused++; /* the file stays without a table */
	unwind_table_fini(&table);
}

static bool next_job(struct profile_tables *t, struct profile_table_job *job)
{
	bool has_one;

	pthread_mutex_lock(&t->lock);
	while (!t->queue.size && !t->is_stopping)
		pthread_cond_wait(&t->changed, &t->lock);
	has_one = t->queue.size && !t->is_stopping;
	if (has_one) {
		memcpy(job, t->queue.data, sizeof(*job));
		buffer_consume(&t->queue, sizeof(*job));
		t->busy++;
	}
	pthread_mutex_unlock(&t->lock);
	return has_one;
}

static void finish_job(struct profile_tables *t)
{
	pthread_mutex_lock(&t->lock);
	t->busy--;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

void profile_tables_wait(struct profile_tables *t, unsigned ms)
{
	struct timespec until = timeout_deadline((int)ms);
	int status = 0;

	assert(t);
	pthread_mutex_lock(&t->lock);
	while ((t->queue.size || t->busy) && !t->is_stopping && !status)
		status = pthread_cond_timedwait(&t->changed, &t->lock, &until);
	pthread_mutex_unlock(&t->lock);
}

static void *make_tables(void *argument)
{
	struct profile_worker *w = argument;
	struct profile_table_job job;

	while (next_job(w->tables, &job)) {
		make_table(w, &job);
		finish_job(w->tables);
	}
	return NULL;
}

static int start_worker(struct profile_tables *t, struct sooth_error *err)
{
	struct profile_worker *w = &t->workers[t->worker_count];
	int status;

	w->tables = t;
	status = pthread_create(&w->thread, NULL, make_tables, w);
	if (status)
		return error_errno(err, -status, "start a thread that reads unwind information");
	t->worker_count++;
	return 0;
}

int profile_tables_open(struct profile_tables *t, int files, int tables, struct sooth_error *err)
{
	int status = 0;

	t->files = files;
	t->tables = tables;
	map_init(&t->made, sizeof(uint64_t), sizeof(struct profile_made), PROFILE_TABLES_MAX);
	pthread_mutex_init(&t->lock, NULL);
	timeout_cond_init(&t->changed);
	for (size_t i = 0; i < PROFILE_WORKERS && !status; i++)
		status = start_worker(t, err);
	return status;
}

void profile_tables_add(struct profile_tables *t, uint64_t key, int file)
{
	struct profile_table_job job = { .key = key, .file = fcntl(file, F_DUPFD_CLOEXEC, 0) };

	if (job.file < 0) {
		profile_tables_none(t, key);
		return;
	}
	pthread_mutex_lock(&t->lock);
	buffer_append(&t->queue, &job, sizeof(job));
	pthread_cond_broadcast(&t->changed); /* threads may wait until all tables are made */
	pthread_mutex_unlock(&t->lock);
}

void profile_tables_stop(struct profile_tables *t)
{
	struct profile_table_job job;

	assert(t);
	if (!t->worker_count)
		return;
	pthread_mutex_lock(&t->lock);
	t->is_stopping = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	while (t->worker_count)
		pthread_join(t->workers[--t->worker_count].thread, NULL);
	for (; t->queue.size; buffer_consume(&t->queue, sizeof(job))) {
		memcpy(&job, t->queue.data, sizeof(job));
		close(job.file);
	}
}

bool profile_tables_entry(
	const struct profile_tables *t, uint64_t key, uint64_t offset, uint64_t *entry)
{
	const struct profile_made *made = map_get(&t->made, &key);

	return made && made->entries &&
	       unwind_table_entry(&made->entries[made->rules].row, made->rows, offset, entry);
}

void profile_tables_close(struct profile_tables *t)
{
	profile_tables_stop(t);
	map_for_each_value (&t->made, struct profile_made *, made) {
		if (made->entries)
			munmap(made->entries, made->size);
	}
	map_fini(&t->made);
	buffer_fini(&t->queue);
	for (size_t i = 0; i < PROFILE_WORKERS; i++)
		timeout_fini(&t->workers[i].timeout);
}
