/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ways to the mappings of a process, by the kernel's iterator and by /proc, must
 * give the same records. Their targets are children of this program that hold still,
 * and the processes named as arguments, which the caller has to hold. Without the right
 * to use BPF it is skipped.
 */
#include "../unit/support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "os/linux/files/procfs.h"
#include "os/os.h"
#include "probes/maps.h"

#define PAGE 4096u
#define SKIP 77

extern const struct backend backend_maps_procfs, backend_maps_bpf;

/* One reading by one backend: its records, and how long the reading took. */
static struct buffer reading(const struct backend *backend, pid_t pid, uint64_t *took_ns)
{
	struct backend_run run = { .backend = backend,
		.os = &os_native,
		.options = { .interest = INTEREST_SAMPLE },
		.state = calloc(1, backend->state_size) };
	struct process_id process;
	struct sooth_error err;
	uint64_t begin;

	assert_int_equal(procfs_identify(pid, &process), 0);
	if (backend->open(&run, &err))
		fail_msg("%s: %s: %s", backend->name, err.tried, err.why);
	assert_int_equal(backend->set(&run, &process, INTEREST_SAMPLE, &err), 0);
	begin = os_native.now_ns(&os_native);
	assert_int_equal(backend->start(&run, &err), 0);
	*took_ns = os_native.now_ns(&os_native) - begin;
	assert_int_equal(backend->stop(&run, &err), 0);
	backend->close(&run);
	free(run.state);
	return run.out;
}

static void print_difference(const struct sooth_record *a, const struct sooth_record *b)
{
	const struct maps_mapping *left = (const void *)a, *right = (const void *)b;

	print_error("kinds %x %x, from %llx %llx, to %llx %llx, names \"%.*s\" \"%.*s\"\n", a->kind,
		b->kind, (unsigned long long)left->from, (unsigned long long)right->from,
		(unsigned long long)left->to, (unsigned long long)right->to, (int)left->path.size,
		(const char *)a + left->path.offset, (int)right->path.size,
		(const char *)b + right->path.offset);
}

/* Returns the number of mappings. */
static size_t compare(pid_t pid)
{
	uint64_t procfs_ns, bpf_ns;
	struct buffer by_procfs = reading(&backend_maps_procfs, pid, &procfs_ns);
	struct buffer by_bpf = reading(&backend_maps_bpf, pid, &bpf_ns);
	struct batch left = { by_procfs.data, by_procfs.size };
	struct batch right = { by_bpf.data, by_bpf.size };
	struct sooth_record *b = (void *)by_bpf.data;
	size_t mappings = 0;

	assert_true(batch_check(&left) > 0);
	assert_int_equal(batch_check(&left), batch_check(&right));
	batch_for_each (a, &left) {
		b->time_ns = a->time_ns;
		mappings += a->kind == MAPS_MAPPING;
		if (record_bytes(a) != record_bytes(b) || memcmp(a, b, record_bytes(a))) {
			if (a->kind == MAPS_MAPPING && b->kind == MAPS_MAPPING)
				print_difference(a, b);
			fail_msg("record %zu of process %d differs", mappings, (int)pid);
		}
		b = (void *)((char *)b + record_bytes(b));
	}
	print_message("%zu mappings: %.2f ms by procfs, %.2f ms by bpf\n", mappings,
		(double)procfs_ns / 1e6, (double)bpf_ns / 1e6);
	buffer_fini(&by_procfs);
	buffer_fini(&by_bpf);
	return mappings;
}

/* --- children that hold still --- */

static pid_t child_of(void (*prepare)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prepare();
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void map_file(const char *name, bool unlinked)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, 2 * PAGE) ||
		mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE) == MAP_FAILED)
		_exit(1);
	close(fd);
	if (unlinked)
		unlink(name);
}

static void prepare_kinds(void)
{
	char folder[] = "/tmp/sooth-maps-XXXXXX";
	int memory = memfd_create("a memfd", 0);

	if (!mkdtemp(folder) || chdir(folder) || memory < 0 || ftruncate(memory, PAGE))
		_exit(1);
	mmap(NULL, PAGE, PROT_READ, MAP_SHARED, memory, 0);
	mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, PAGE << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map_file("plain", true);
	map_file("lives (deleted)", false);
	map_file("new\nline \\012 \033[31m", true);
	map_file("new\nline alive", false);
	/* Named memory, where the kernel has it. */
	prctl(0x53564d41 /* PR_SET_VMA */, 0,
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGE, "a name");
	if (sbrk(64 * PAGE) == (void *)-1)
		_exit(1);
	unlink("lives (deleted)");
	map_file("lives (deleted)", false); /* one of two files of that name lives */
}

static void prepare_many(void)
{
	char *room = mmap(NULL, 50000ul * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; room != MAP_FAILED && i < 50000; i += 2)
		mprotect(room + i * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static void test_kinds(void **state)
{
	pid_t pid = child_of(prepare_kinds);
	char link[64], folder[256], command[300];
	ssize_t size;

	(void)state;
	assert_true(compare(pid) > 20);
	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	size = readlink(link, folder, sizeof(folder) - 1);
	assert_true(size > 0);
	folder[size] = 0;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	end_child(pid);
	assert_int_equal(system(command), 0);
}

static void test_many(void **state)
{
	pid_t pid = child_of(prepare_many);

	(void)state;
	assert_true(compare(pid) > 50000);
	end_child(pid);
}

/* One that has ended is told as such by both. */
static void test_ended(void **state)
{
	const struct backend *const both[] = { &backend_maps_procfs, &backend_maps_bpf };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct backend_run run = { .backend = both[i],
			.os = &os_native,
			.options = { .interest = INTEREST_SAMPLE },
			.state = calloc(1, both[i]->state_size) };
		const struct process_id gone = { 1, (uint64_t)getpid() };
		const struct maps_process *end;

		assert_int_equal(both[i]->open(&run, NULL), 0);
		both[i]->joined(&run, &gone);
		end = (const void *)run.out.data;
		assert_int_equal(run.out.size, sizeof(*end));
		assert_int_equal(end->record.kind, MAPS_PROCESS);
		assert_int_equal(end->mappings_state, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		both[i]->close(&run);
		free(run.state);
		buffer_fini(&run.out);
	}
}

static char **named;

static void test_named(void **state)
{
	(void)state;
	for (char **pid = named; *pid; pid++)
		assert_true(compare((pid_t)atoi(*pid)) > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest own[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_many),
		cmocka_unit_test(test_ended) };
	const struct CMUnitTest others[] = { cmocka_unit_test(test_named) };
	struct sooth_error err;

	if (backend_test_needs(&backend_maps_bpf, &os_native, &err)) {
		printf("skipped: %s: %s\n", err.tried, err.why);
		return SKIP;
	}
	named = argv + 1;
	return argc > 1 ? cmocka_run_group_tests(others, NULL, NULL)
			: cmocka_run_group_tests(own, NULL, NULL);
}
