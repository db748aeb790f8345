/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The truth of the scenarios about allocations: a board in shared memory, on which each image (a
 * program from its start, fork or exec to its end) leaves what it called, and the JSON made of it.
 * Text is made in mapped memory and written with write(2): to tell the truth needs no allocation.
 */
#include "heap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/mman.h>

#define TEXT_BYTES (4 << 20)
#define PATH_BYTES 4096

struct text {
	char *data;
	size_t size;
};

void *heap_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int heap_board_open(struct heap_board **board, int fd)
{
	void *memory = mmap(NULL, sizeof(**board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*board = memory;
	return 0;
}

int heap_board_new(struct heap_board **board, int *fd)
{
	int memory = memfd_create("workloads-heap", 0);
	int err = 0;

	if (memory < 0)
		return -errno;
	if (ftruncate(memory, sizeof(**board)))
		err = -errno;
	if (!err)
		err = heap_board_open(board, memory);
	if (err || !fd)
		close(memory);
	else
		*fd = memory;
	return err;
}

struct heap_image *heap_board_add(struct heap_board *board, bool is_exec)
{
	unsigned int at = atomic_fetch_add(&board->used, 1);

	if (at >= HEAP_IMAGES_MAX)
		return NULL;
	board->images[at].is_exec = is_exec;
	atomic_store(&board->images[at].pid, getpid());
	return &board->images[at];
}

/* Peaks of several threads or processes are no sum; whoever knows one sets it afterwards. */
void heap_aggregate_add(struct heap_aggregate *into, const struct heap_aggregate *from)
{
	for (int i = 0; i < HEAP_FUNCTIONS; i++) {
		into->calls[i].count += from->calls[i].count;
		into->calls[i].failed += from->calls[i].failed;
		into->calls[i].overflows += from->calls[i].overflows;
		into->calls[i].unfinished += from->calls[i].unfinished;
		into->calls[i].bytes += from->calls[i].bytes;
	}
	into->freed_null += from->freed_null;
	into->inherited_blocks += from->inherited_blocks;
	into->inherited_bytes += from->inherited_bytes;
	into->live_blocks += from->live_blocks;
	into->live_bytes += from->live_bytes;
}

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *form, ...)
{
	va_list args;
	int n;

	va_start(args, form);
	n = vsnprintf(text->data + text->size, TEXT_BYTES - text->size, form, args);
	va_end(args);
	if (n > 0 && text->size + (size_t)n < TEXT_BYTES)
		text->size += (size_t)n;
}

static void say_calls(struct text *text, const struct heap_aggregate *aggregate)
{
	say(text, "\"functions\":{");
	for (int i = 0; i < HEAP_FUNCTIONS; i++) {
		const struct heap_calls *calls = &aggregate->calls[i];

		say(text,
			"%s\"%s\":{\"count\":%" PRIu64 ",\"failed\":%" PRIu64
			",\"overflows\":%" PRIu64 ",\"unfinished\":%" PRIu64 ",\"bytes\":%" PRIu64
			"}",
			i ? "," : "", heap_function_names[i], calls->count, calls->failed,
			calls->overflows, calls->unfinished, calls->bytes);
	}
	say(text, "}");
}

static void say_aggregate(struct text *text, const struct heap_aggregate *aggregate)
{
	uint64_t events = 0, failed = 0, overflows = 0, bytes = 0;

	for (int i = 0; i < HEAP_FUNCTIONS; i++) {
		events += aggregate->calls[i].count;
		failed += aggregate->calls[i].failed;
		overflows += aggregate->calls[i].overflows;
		bytes += aggregate->calls[i].bytes;
	}
	say_calls(text, aggregate);
	say(text,
		",\"events\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"overflows\":%" PRIu64
		",\"allocated_bytes\":%" PRIu64 ",\"freed_null\":%" PRIu64
		",\"inherited_blocks\":%" PRIu64 ",\"inherited_bytes\":%" PRIu64
		",\"live_blocks\":%" PRIu64 ",\"live_bytes\":%" PRIu64 ",\"peak_bytes\":%" PRIu64
		",\"peak_slack_bytes\":%" PRIu64,
		events, failed, overflows, bytes, aggregate->freed_null,
		aggregate->inherited_blocks, aggregate->inherited_bytes, aggregate->live_blocks,
		aggregate->live_bytes, aggregate->peak_bytes, aggregate->peak_slack_bytes);
}

static void say_all(struct text *text, const struct workload *w, const char *scenario,
	const struct heap_board *board, const struct heap_fact *facts)
{
	unsigned int used = atomic_load(&board->used);
	static struct heap_aggregate sum;

	for (unsigned int i = 0; i < used && i < HEAP_IMAGES_MAX; i++)
		heap_aggregate_add(&sum, &board->images[i].aggregate);
	if (used == 1) {
		sum.peak_bytes = board->images[0].aggregate.peak_bytes;
		sum.peak_slack_bytes = board->images[0].aggregate.peak_slack_bytes;
	}
	say(text, "{\"scenario\":\"%s\",\"seed\":%" PRIu64 ",", scenario, w->seed);
	say_aggregate(text, &sum);
	for (; facts && facts->name; facts++)
		say(text, ",\"%s\":%" PRIu64, facts->name, facts->value);
	say(text, ",\n\"images\":[");
	for (unsigned int i = 0; i < used && i < HEAP_IMAGES_MAX; i++) {
		const struct heap_image *image = &board->images[i];

		say(text, "%s\n{\"pid\":%d,\"is_exec\":%s,", i ? "," : "", image->pid,
			image->is_exec ? "true" : "false");
		say_aggregate(text, &image->aggregate);
		say(text, "}");
	}
	say(text, "]}\n");
}

static int write_all(int fd, const struct text *text)
{
	for (size_t at = 0; at < text->size;) {
		ssize_t n = write(fd, text->data + at, text->size - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int heap_truth_write(const struct workload *w, const char *scenario, const struct heap_board *board,
	const struct heap_fact *facts)
{
	struct text text = { .data = heap_memory(TEXT_BYTES) };
	char path[PATH_BYTES];
	autoclose int fd = -1;
	int err;

	if (!text.data)
		return -ENOMEM;
	if (!w->truth_path)
		return 0;
	say_all(&text, w, scenario, board, facts);
	if (text.size + 1 >= TEXT_BYTES)
		return -EFBIG;
	snprintf(path, sizeof(path), "%.*s.%d.new", PATH_BYTES - 32, w->truth_path, getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, &text);
	if (!err && rename(path, w->truth_path))
		err = -errno;
	if (err)
		unlink(path);
	return err;
}
