/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF objects by libbpf. */
#include "os/linux/bpf/bpf.h"

#include <bpf/bpf.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/ids.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"

/* --- second programs --- */

#define SUFFIX	       "_again"
#define NAME_MAX_BYTES 64

static bool is_second_program(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	return length > suffix && !strcmp(name + length - suffix, SUFFIX);
}

/* Chooses the programs of an opened object that will be loaded. */
static void again_prepare(struct bpf_object *object)
{
	bool is_needed = needs_kernel_release() >= KERNEL_RELEASE(7, 0);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (is_second_program(program))
			bpf_program__set_autoload(program, is_needed);
	}
}

/* Returns the second program of a program, if it is loaded; else NULL. */
static const struct bpf_program *again_program(const struct bpf_object *object, const char *program)
{
	char name[NAME_MAX_BYTES];
	const struct bpf_program *second;

	snprintf(name, sizeof(name), "%s" SUFFIX, program);
	second = bpf_object__find_program_by_name(object, name);
	return second && bpf_program__autoload(second) ? second : NULL;
}

static uint64_t misses_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)
		       ? 0
		       : info.recursion_misses;
}

static uint64_t missed_by_both(const struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t sum = 0;

	bpf_object__for_each_program(program, object)
	{
		const struct bpf_program *second =
			again_program(object, bpf_program__name(program));
		uint64_t first = is_second_program(program) ? 0 : misses_of(program);
		uint64_t both = second ? misses_of(second) : first;

		sum += both < first ? both : first;
	}
	return sum;
}

void again_emit(const struct bpf_object *object, struct backend_run *run, const char *reason)
{
	uint64_t missed = missed_by_both(object);

	if (missed)
		backend_loss(run, missed, 0, reason);
}

/* libbpf's hook takes no user pointer: the log in use is kept here while the hook is replaced. */
static __thread const struct log *hook_log;

/* Prints a message of libbpf. A verifier's log comes as one message of many lines. */
static int print_through(enum libbpf_print_level level, const char *format, va_list args)
{
	enum log_level own = level == LIBBPF_WARN ? LOG_WARNING : LOG_TRACE;
	_cleanup_free_ char *text = NULL;
	char *line, *rest;

	if (!hook_log || hook_log->level < own || vasprintf(&text, format, args) < 0)
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		if (*line)
			log_line(hook_log, own, "%s", line);
	}
	return 0;
}

static libbpf_print_fn_t hook_set(const struct log *log)
{
	hook_log = log;
	return libbpf_set_print(print_through);
}

static int bpf_error(struct sooth_error *err, int code, const char *tried, const char *what)
{
	error_errno(err, code, "%s %s", tried, what);
	if (code == -EPERM) {
		error_missing(err, "permission to use BPF for tracing");
		error_remedy(err, "%s", needs_bpf_remedy());
	}
	return code;
}

/* Lets programs that read ids of tasks read those of sooth's own PID namespace. */
static void set_pid_namespace(const struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.ids");
	size_t size = 0;
	struct ids_config *ids = map ? (void *)(uintptr_t)bpf_map__initial_value(map, &size) : NULL;

	if (ids && size >= sizeof(*ids))
		ids->pid_namespace = needs_inner_pid_namespace();
}

int bpf_code_open(struct bpf_code *b, const struct bpf_image *image, const struct log *log,
	struct sooth_error *err)
{
	assert(b);
	assert(image);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = image->name);
	libbpf_print_fn_t before;
	int status = bpf_load_fitted(&b->fitted, image, err);

	if (status)
		return status;
	b->log = log;
	before = hook_set(log);
	status = bpf_fitted_register();
	if (!status) {
		b->object = bpf_object__open_mem(b->fitted.bytes, b->fitted.size, &options);
		status = b->object ? 0 : -errno;
	}
	libbpf_set_print(before);
	if (status) {
		bpf_fitted_close(&b->fitted);
		return bpf_error(err, status, "open the BPF object", image->name);
	}
	again_prepare(b->object);
	set_pid_namespace(b->object);
	return 0;
}

void *bpf_code_constants(
	struct bpf_code *b, const char *section, size_t size, struct sooth_error *err)
{
	assert(b);

	struct bpf_map *map = bpf_object__find_map_by_name(b->object, section);
	size_t has = 0;
	void *data = map ? (void *)(uintptr_t)bpf_map__initial_value(map, &has) : NULL;

	if (data && has >= size)
		return data;
	error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "find %s in the BPF object", section);
	return NULL;
}

/* Maps a section of variables, which libbpf maps only for skeletons, which are not used here. */
void *bpf_code_variables(
	struct bpf_code *b, const char *section, size_t size, struct sooth_error *err)
{
	assert(b);

	struct bpf_map *map = bpf_object__find_map_by_name(b->object, section);
	void *data = map ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0)
			 : MAP_FAILED;

	if (data == MAP_FAILED || b->variables_count == BPF_VARIABLES_MAX) {
		error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "map %s of the BPF object", section);
		return NULL;
	}
	b->variables[b->variables_count++] = (struct bpf_variables){ data, size };
	return data;
}

int bpf_code_map(struct bpf_code *b, const char *map)
{
	assert(b);
	return bpf_object__find_map_fd_by_name(b->object, map);
}

int bpf_code_resize(struct bpf_code *b, const char *map, uint64_t entries, struct sooth_error *err)
{
	assert(b);

	struct bpf_map *found = bpf_object__find_map_by_name(b->object, map);
	int status = found ? bpf_map__set_max_entries(found, (uint32_t)entries) : -ENOENT;

	return status ? bpf_error(err, status, "size the BPF map", map) : 0;
}

int bpf_code_preallocate(
	struct bpf_code *b, const char *map, uint64_t entries, struct sooth_error *err)
{
	assert(b);

	struct bpf_map *found = bpf_object__find_map_by_name(b->object, map);
	int status = found ? bpf_map__set_map_flags(found, 0) : -ENOENT;

	return status ? bpf_error(err, status, "size the BPF map", map)
		      : bpf_code_resize(b, map, entries, err);
}

/* Returns whether the refusal is not the verifier's: sooth has no right to load, or no room for
 * it. */
static bool is_own_shortage(int status)
{
	return status == -EPERM || status == -EMFILE || status == -ENFILE || status == -ENOMEM ||
	       status == -ENOSPC || status == -EAGAIN;
}

int bpf_code_load(struct bpf_code *b, struct sooth_error *err)
{
	libbpf_print_fn_t before = hook_set(b->log);
	int status = bpf_fitted_load(&b->fitted, b->object);

	libbpf_set_print(before);
	if (!status || is_own_shortage(status))
		return status ? bpf_error(err, status, "load the BPF programs",
					bpf_object__name(b->object))
			      : 0;
	/* With the right to load, any other refusal comes from the verifier. */
	error_set(err, status, SOOTH_FAULT_UNSUPPORTED, "load the BPF programs %s",
		bpf_object__name(b->object));
	error_why(err, "the kernel's BPF verifier rejects the programs (%s)", strerror(-status));
	return error_remedy(err, "set SOOTH_LOG=warning, run the command again, and report the "
				 "verifier's log with the kernel version");
}

void *bpf_code_load_control(struct bpf_code *b, size_t size, struct sooth_error *err)
{
	return bpf_code_load(b, err) ? NULL : bpf_code_variables(b, ".data.control", size, err);
}

/* Attaches to the point that the program was compiled for, or to the first of `tracepoints` that
 * the kernel has. */
static struct bpf_link *attach_to(const struct bpf_program *program, const char *const *tracepoints)
{
	struct bpf_link *link = NULL;

	if (!tracepoints)
		return bpf_program__attach(program);
	errno = ENOENT;
	for (size_t i = 0; !link && errno == ENOENT && tracepoints[i]; i++)
		link = bpf_program__attach_raw_tracepoint(program, tracepoints[i]);
	return link;
}

static int attach_program(struct bpf_code *b, const struct bpf_program *program,
	const char *const *tracepoints, struct sooth_error *err)
{
	libbpf_print_fn_t before;
	struct bpf_link *link;
	int status;

	if (!program || b->link_count == BPF_LINKS_MAX)
		return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "find a BPF program of %s",
			bpf_object__name(b->object));
	before = hook_set(b->log);
	link = attach_to(program, tracepoints);
	status = -errno;
	libbpf_set_print(before);
	if (!link)
		return bpf_error(err, status, "attach the BPF program", bpf_program__name(program));
	b->links[b->link_count++] = link;
	return 0;
}

int bpf_code_attach_raw(struct bpf_code *b, const char *program, const char *const *tracepoints,
	struct sooth_error *err)
{
	assert(b);

	const struct bpf_program *again = again_program(b->object, program);
	int status = attach_program(
		b, bpf_object__find_program_by_name(b->object, program), tracepoints, err);

	return status || !again ? status : attach_program(b, again, tracepoints, err);
}

int bpf_code_attach(struct bpf_code *b, const char *program, struct sooth_error *err)
{
	return bpf_code_attach_raw(b, program, NULL, err);
}

int bpf_code_expect(struct bpf_code *b, const char *program, unsigned type, struct sooth_error *err)
{
	assert(b);

	struct bpf_program *found = bpf_object__find_program_by_name(b->object, program);
	int status =
		found ? bpf_program__set_expected_attach_type(found, (enum bpf_attach_type)type)
		      : -ENOENT;

	return status ? bpf_error(err, status, "prepare the BPF program", program) : 0;
}

int bpf_code_postpone(struct bpf_code *b, const char *program, struct sooth_error *err)
{
	assert(b);

	struct bpf_program *found = bpf_object__find_program_by_name(b->object, program);
	int status = found ? bpf_program__set_autoload(found, false) : -ENOENT;

	if (!status && b->later_count == BPF_LATER_MAX)
		status = -ENOSPC;
	if (status)
		return bpf_error(err, status, "prepare the BPF program", program);
	b->later[b->later_count++] = (struct bpf_later){ .program = found };
	return 0;
}

/* Opens the same object once more, with the maps of the first and only this program. */
static int prepare_later(
	const struct bpf_code *b, struct bpf_object *later, const struct bpf_program *wanted)
{
	struct bpf_program *program;
	struct bpf_map *map, *own;
	int status = 0;

	bpf_object__for_each_program(program, later)
	{
		bool is_it = !strcmp(bpf_program__name(program), bpf_program__name(wanted));

		bpf_program__set_autoload(program, is_it);
		if (is_it)
			bpf_program__set_expected_attach_type(
				program, bpf_program__expected_attach_type(wanted));
	}
	own = bpf_object__next_map(b->object, NULL);
	bpf_object__for_each_map(map, later)
	{
		if (!status && own)
			status = bpf_map__reuse_fd(map, bpf_map__fd(own));
		own = own ? bpf_object__next_map(b->object, own) : NULL;
	}
	return status;
}

static int load_later(struct bpf_code *b, struct bpf_later *later)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = bpf_object__name(b->object));
	libbpf_print_fn_t before = hook_set(b->log);
	struct bpf_object *object = bpf_object__open_mem(b->fitted.bytes, b->fitted.size, &options);
	int status = object ? prepare_later(b, object, later->program) : -errno;

	if (!status)
		status = bpf_fitted_load(&b->fitted, object);
	libbpf_set_print(before);
	if (status)
		bpf_object__close(object);
	else
		later->object = object;
	return status;
}

int bpf_code_program(struct bpf_code *b, const char *program)
{
	assert(b);

	const struct bpf_program *found = bpf_object__find_program_by_name(b->object, program);

	for (size_t i = 0; i < b->later_count; i++) {
		struct bpf_later *later = &b->later[i];
		int status;

		if (later->program != found)
			continue;
		status = later->object ? 0 : load_later(b, later);
		if (status)
			return status;
		found = bpf_object__find_program_by_name(later->object, program);
		break;
	}
	return found ? bpf_program__fd(found) : -ENOENT;
}

int bpf_code_walk(struct bpf_code *b, const struct bpf_link *iterator, struct buffer *out,
	struct sooth_error *err)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(iterator));
	char bytes[4096];
	ssize_t got;

	if (fd < 0)
		return bpf_error(
			err, fd, "iterate over all threads with", bpf_object__name(b->object));
	do {
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0 && out)
			buffer_append(out, bytes, (size_t)got);
	} while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
	return got < 0 ? bpf_error(err, -errno, "iterate over all threads with",
				 bpf_object__name(b->object))
		       : 0;
}

/* The member `task` of union bpf_iter_link_info, which headers before 6.2 do not have. */
struct iterator_thread {
	uint32_t tid, pid, pid_descriptor;
	uint32_t unused;
};

static struct bpf_link *attach_walk(
	const struct bpf_program *program, const struct iterator_thread *over)
{
	union {
		union bpf_iter_link_info info;
		struct iterator_thread thread;
	} one = { .thread = *over };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &one.info,
		.link_info_len = sizeof(one));
	struct bpf_link *link = bpf_program__attach_iter(program, &options);

	return link ? link : bpf_program__attach_iter(program, NULL);
}

/* Checks the process after an iteration by PID: it must still be the same, with no more privilege
 * than before. */
static int check_walked(const struct process_id *process, struct sooth_error *err)
{
	struct process_id now;

	if (!procfs_identify((pid_t)process->pid, &now) && now.start_ticks == process->start_ticks)
		return caller_may_watch(NULL, process, err);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "look at process %u", (unsigned)process->pid);
	return error_why(err, "the process has ended");
}

static int walk_over(struct bpf_code *b, const char *program, const struct iterator_thread *over,
	const struct process_id *process, struct buffer *out, struct sooth_error *err)
{
	int status = caller_may_watch(NULL, process, err);

	if (status)
		return status;
	struct bpf_program *found = bpf_object__find_program_by_name(b->object, program);
	libbpf_print_fn_t before = hook_set(b->log);
	struct bpf_link *link = found ? attach_walk(found, over) : NULL;
	size_t kept = out->size;

	status = link ? 0 : -errno;
	libbpf_set_print(before);
	if (!link)
		return bpf_error(err, status, "attach the BPF program", program);
	status = bpf_code_walk(b, link, out, err);
	bpf_link__destroy(link);
	if (!status)
		status = check_walked(process, err);
	if (status)
		out->size = kept;
	return status;
}

int bpf_code_walk_thread(struct bpf_code *b, const char *program, const struct process_id *process,
	struct buffer *out, struct sooth_error *err)
{
	assert(process);

	const struct iterator_thread over = { .tid = process->pid };

	return walk_over(b, program, &over, process, out, err);
}

int bpf_code_walk_process(struct bpf_code *b, const char *program, const struct process_id *process,
	struct buffer *out, struct sooth_error *err)
{
	assert(process);

	const struct iterator_thread over = { .pid = process->pid };

	return walk_over(b, program, &over, process, out, err);
}

void bpf_code_detach(struct bpf_code *b)
{
	assert(b);
	for (size_t i = 0; i < b->link_count; i++)
		bpf_link__destroy(b->links[i]);
	b->link_count = 0;
}

void bpf_code_close(struct bpf_code *b)
{
	assert(b);
	bpf_code_detach(b);
	for (size_t i = 0; i < b->variables_count; i++)
		munmap(b->variables[i].data, b->variables[i].size);
	b->variables_count = 0;
	for (size_t i = 0; i < b->later_count; i++)
		bpf_object__close(b->later[i].object);
	b->later_count = 0;
	bpf_object__close(b->object);
	b->object = NULL;
	bpf_fitted_close(&b->fitted);
}
