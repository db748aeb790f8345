/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classes of mappings. The fixtures are parts of real address spaces (Linux 6.18: node 20,
 * python 3.11, redis 7, the native Claude Code 2.1, musl; Go's from its sources); beside each
 * stands what nearly is one and must not be taken for it.
 */
#include "support.h"

#include "analyze/maps/map_classes.h"
#include "base/cursor.h"

#define NR MAPS_NO_RESERVE
#define DC MAPS_NOT_IN_FORKS
#define NH MAPS_HUGE_UNWANTED
#define END                                                                                        \
	{                                                                                          \
		.to = 0                                                                            \
	}
#define ROOM   64
#define HAS(r) (1u << MAPS_##r)

#define AT(from_, to_, protection_, flags_, as, ...)                                               \
	{                                                                                          \
		.from = from_, .to = to_, .protection = protection_, .flags = flags_,              \
		.class_ = as, ##__VA_ARGS__                                                        \
	}

struct fixture {
	uint64_t from, to;
	const char *protection;
	uint8_t flags;
	enum map_class class_;
	const char *path; /* NULL: none */
	bool is_deleted;
	uint32_t device_major;
	uint64_t rss_bytes;
	bool has_no_flags;
};

struct space {
	struct buffer records;
	struct map_facts facts;
	uint64_t stacks[8];
	const struct maps_mapping *mappings[ROOM];
	uint8_t classes[ROOM];
};

static uint8_t protection_of(const char *text)
{
	return (uint8_t)((text[0] == 'r' ? MAPS_READ : 0) | (text[1] == 'w' ? MAPS_WRITE : 0) |
			 (text[2] == 'x' ? MAPS_EXECUTE : 0) | (text[3] == 's' ? MAPS_SHARED : 0));
}

static void add(struct space *s, const struct fixture *f)
{
	struct maps_mapping m = { .record = { .pid = 1, .kind = MAPS_MAPPING },
		.from = f->from,
		.to = f->to,
		.inode = f->path && f->path[0] != '[' ? 7 : 0,
		.device_major = f->device_major,
		.protection = protection_of(f->protection),
		.flags = f->flags,
		.flags_state = f->has_no_flags ? SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) : 0,
		.rss_bytes = f->rss_bytes,
		.is_deleted = f->is_deleted,
		.path_state = f->path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &m.path, f->path, f->path ? strlen(f->path) : 0 } };

	RECORD_APPEND(&s->records, &m, tail, 1);
}

/* Judges the fixtures (by address) and compares. */
static void check(uint32_t runtimes, const uint64_t *stacks, const struct fixture *fixtures)
{
	struct space s = { .facts = { .runtimes = runtimes } };
	struct batch all;
	size_t count = 0;

	for (; fixtures[count].to; count++)
		add(&s, &fixtures[count]);
	assert_true(count <= ROOM);
	all = (struct batch){ s.records.data, s.records.size };
	batch_for_each (r, &all)
		s.mappings[s.facts.count++] = (const void *)r;
	s.facts.mappings = s.mappings;
	for (; stacks && stacks[s.facts.stack_count]; s.facts.stack_count++)
		s.stacks[s.facts.stack_count] = stacks[s.facts.stack_count];
	s.facts.stacks = s.stacks;
	map_classify(&s.facts, s.classes);
	for (size_t i = 0; i < count; i++) {
		if (s.classes[i] != fixtures[i].class_)
			fail_msg("%llx is %s, not %s", (unsigned long long)fixtures[i].from,
				map_class_names.names[s.classes[i]],
				map_class_names.names[fixtures[i].class_]);
	}
	buffer_fini(&s.records);
}

static void test_names(void **state)
{
	const struct fixture of_names[] = {
		AT(0x1000, 0x2000, "r-xp", 0, MAP_FILE, .path = "/usr/bin/node"),
		AT(0x2000, 0x3000, "---p", 0, MAP_FILE, .path = "/usr/lib/libx.so"),
		AT(0x3000, 0x4000, "r-xp", 0, MAP_DELETED_FILE, .path = "/usr/bin/old",
			.is_deleted = true),
		AT(0x4000, 0x5000, "rw-s", 0, MAP_SHARED, .path = "/dev/zero", .is_deleted = true),
		AT(0x5000, 0x6000, "rw-s", 0, MAP_SHARED, .path = "/memfd:x", .is_deleted = true),
		AT(0x6000, 0x7000, "rw-p", 0, MAP_SHARED, .path = "/memfd:x", .is_deleted = true),
		AT(0x7000, 0x8000, "rw-s", 0, MAP_SHARED, .path = "/SYSV00000000",
			.is_deleted = true),
		AT(0x8000, 0x9000, "rw-s", 0, MAP_SHARED, .path = "/dev/shm/PostgreSQL.1"),
		AT(0x9000, 0xa000, "rw-s", 0, MAP_OTHER, .path = "anon_inode:[io_uring]"),
		AT(0xa000, 0xb000, "r--p", 0, MAP_KERNEL, .path = "[vvar]"),
		AT(0xb000, 0xc000, "r--p", 0, MAP_KERNEL, .path = "[vvar_vclock]"),
		AT(0xc000, 0xd000, "r-xp", 0, MAP_KERNEL, .path = "[vdso]"),
		AT(0xd000, 0xe000, "--xp", 0, MAP_KERNEL, .path = "[vsyscall]"),
		AT(0xe000, 0xf000, "rw-p", 0, MAP_THREAD_STACK, .path = "[stack]"),
		AT(0xf000, 0x10000, "rw-s", 0, MAP_SHARED, .path = "[anon_shmem:x]"),
		AT(0x10000, 0x11000, "rw-p", 0, MAP_MALLOC_ZONE, .path = "[malloc small]"),
		AT(0x11000, 0x12000, "rw-p", 0, MAP_JAVASCRIPTCORE, .path = "[javascriptcore]"),
		AT(0x12000, 0x13000, "r-xp", 0, MAP_JIT, .path = "[jit]"),
		AT(0x13000, 0x14000, "rw-p", 0, MAP_TCMALLOC, .path = "[tcmalloc]"),
		END,
	};
	/* Living files of such names, a removed one on a disk, a file like the kernel's. */
	const struct fixture nearly[] = {
		AT(0x1000, 0x2000, "rw-s", 0, MAP_FILE, .path = "/memfd:x"),
		AT(0x2000, 0x3000, "rw-s", 0, MAP_DELETED_FILE, .path = "/SYSV0",
			.is_deleted = true, .device_major = 254),
		AT(0x3000, 0x4000, "rw-p", 0, MAP_FILE, .path = "/dev/zero"),
		AT(0x4000, 0x5000, "r-xp", 0, MAP_FILE, .path = "/tmp/[vdso]"),
		AT(0x5000, 0x6000, "rw-p", 0, MAP_OTHER, .path = "[unheard]"),
		AT(0x6000, 0x7000, "r--p", 0, MAP_FILE, .path = "/dev/shmem"),
		END,
	};

	(void)state;
	check(HAS(GLIBC), NULL, of_names);
	check(HAS(GLIBC), NULL, nearly);
}

static void test_brk(void **state)
{
	const struct {
		uint32_t runtimes;
		enum map_class class_;
	} owners[] = {
		{ HAS(GLIBC), MAP_GLIBC_HEAP },
		{ HAS(GLIBC) | HAS(PYTHON) | HAS(V8), MAP_GLIBC_HEAP },
		{ HAS(GLIBC) | HAS(TCMALLOC), MAP_TCMALLOC },
		{ HAS(TCMALLOC), MAP_TCMALLOC },
		{ HAS(GLIBC) | HAS(JEMALLOC), MAP_BRK },
		{ HAS(GLIBC) | HAS(MIMALLOC), MAP_BRK },
		{ HAS(GLIBC) | HAS(MIMALLOC) | HAS(TCMALLOC), MAP_BRK },
		{ HAS(MUSL), MAP_BRK },
		{ 0, MAP_BRK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		const struct fixture heap[] = {
			AT(0x1000, 0x2000, "rw-p", 0, owners[i].class_, .path = "[heap]"), END
		};

		check(owners[i].runtimes, NULL, heap);
	}
}

/* python with three threads that allocate: two arenas side by side, and one that has filled up. */
static void test_arenas(void **state)
{
	const struct fixture arenas[] = {
		AT(0x7fdb20000000, 0x7fdb20d11000, "rw-p", NR, MAP_GLIBC_ARENA),
		AT(0x7fdb20d11000, 0x7fdb24000000, "---p", NR, MAP_GLIBC_ARENA),
		AT(0x7fdb24000000, 0x7fdb28d11000, "rw-p", NR, MAP_GLIBC_ARENA),
		AT(0x7fdb28d11000, 0x7fdb2c000000, "---p", NR, MAP_GLIBC_ARENA),
		END,
	};
	const struct fixture without_flags[] = {
		AT(0x7fdb20000000, 0x7fdb20d11000, "rw-p", 0, MAP_GLIBC_ARENA,
			.has_no_flags = true),
		AT(0x7fdb20d11000, 0x7fdb24000000, "---p", 0, MAP_GLIBC_ARENA,
			.has_no_flags = true),
		END,
	};
	/* V8's code range of node; one that is reserved; one not at a multiple; one whose rest ends
	 * elsewhere; one that nothing follows. */
	const struct fixture nearly[] = {
		AT(0x7f5c50000000, 0x7f5c50002000, "rw-p", NR | DC, MAP_OTHER),
		AT(0x7f5c50002000, 0x7f5c54000000, "---p", NR | DC, MAP_RESERVATION),
		AT(0x7fdb20000000, 0x7fdb20d11000, "rw-p", 0, MAP_OTHER),
		AT(0x7fdb20d11000, 0x7fdb24000000, "---p", 0, MAP_RESERVATION),
		AT(0x7fdb31000000, 0x7fdb31d11000, "rw-p", NR, MAP_OTHER),
		AT(0x7fdb31d11000, 0x7fdb34000000, "---p", NR, MAP_RESERVATION),
		AT(0x7fdb40000000, 0x7fdb40d11000, "rw-p", NR, MAP_OTHER),
		AT(0x7fdb40d11000, 0x7fdb43000000, "---p", NR, MAP_RESERVATION),
		AT(0x7fdb50000000, 0x7fdb54000000, "rw-p", NR, MAP_OTHER),
		END,
	};
	const struct fixture of_musl[] = {
		AT(0x7fdb20000000, 0x7fdb20d11000, "rw-p", NR, MAP_OTHER),
		AT(0x7fdb20d11000, 0x7fdb24000000, "---p", NR, MAP_RESERVATION),
		END,
	};

	(void)state;
	check(HAS(GLIBC), NULL, arenas);
	check(HAS(GLIBC), NULL, without_flags);
	check(HAS(GLIBC), NULL, nearly);
	check(HAS(MUSL), NULL, of_musl);
}

/* redis: stacks that begin at multiples of 2 MiB beside jemalloc's memory. */
static void test_stacks(void **state)
{
	const uint64_t pointers[] = { 0x7f42d3bf0000, 0x7f42d53ff000, 0x7f42e0000000, 0 };
	const struct fixture stacks[] = {
		AT(0x7f42d33fc000, 0x7f42d33fd000, "---p", NH, MAP_THREAD_STACK),
		AT(0x7f42d33fd000, 0x7f42d3bfd000, "rw-p", NH, MAP_THREAD_STACK), /* as told */
		AT(0x7f42d3bfd000, 0x7f42d3bfe000, "---p", NH, MAP_THREAD_STACK),
		AT(0x7f42d3bfe000, 0x7f42d43fe000, "rw-p", NH, MAP_THREAD_STACK), /* as large */
		AT(0x7f42d4bff000, 0x7f42d4c00000, "---p", NH, MAP_THREAD_STACK),
		AT(0x7f42d4c00000, 0x7f42d5400000, "rw-p", NR, MAP_THREAD_STACK), /* as told */
		AT(0x7f42d5400000, 0x7f42d5c00000, "rw-p", NR, MAP_JEMALLOC),
		AT(0x7f42d6000000, 0x7f42d6001000, "---p", NH, MAP_RESERVATION),
		AT(0x7f42d6001000, 0x7f42d6101000, "rw-p", NH, MAP_OTHER), /* of another size */
		AT(0x7f42d7000000, 0x7f42d7800000, "rw-p", NH, MAP_OTHER), /* without a guard */
		AT(0x7f42df000000, 0x7f42e1000000, "rw-p", NH, MAP_OTHER), /* with, but no guard */
		AT(0x7f42f0000000, 0x7f42f0000000 + (2 << 20), "---p", 0, MAP_RESERVATION),
		AT(0x7f42f0000000 + (2 << 20), 0x7f42f0000000 + (10 << 20), "rw-p", NH, MAP_OTHER),
		END,
	};

	(void)state;
	check(HAS(GLIBC) | HAS(JEMALLOC), pointers, stacks);
}

static void test_mimalloc(void **state)
{
	const struct fixture python[] = {
		AT(0x2011c000000, 0x20126100000, "rw-p", NR, MAP_MIMALLOC),
		AT(0x20126100000, 0x20128000000, "---p", NR, MAP_MIMALLOC),
		AT(0x20128000000, 0x20128100000, "rw-p", NR, MAP_MIMALLOC),
		AT(0x7f4c97831000, 0x7f4c97833000, "rw-p", NR, MAP_OTHER), /* elsewhere */
		END,
	};
	const struct fixture nearly[] = {
		AT(0x2011c000000, 0x20126100000, "rw-p", 0, MAP_OTHER),	      /* reserved */
		AT(0x20128100000, 0x20128200000, "rw-p", NR, MAP_OTHER),      /* not aligned */
		AT(0x1011c000000, 0x10126100000, "rw-p", NR, MAP_OTHER),      /* below 2 TiB */
		AT(0x2021c000000, 0x20226100000, "rw-p", NR | DC, MAP_OTHER), /* V8's way */
		END,
	};
	const struct fixture unknown[] = { AT(0x2011c000000, 0x20126100000, "rw-p", NR, MAP_OTHER),
		END };

	(void)state;
	check(HAS(GLIBC) | HAS(MIMALLOC), NULL, python);
	check(HAS(GLIBC) | HAS(MIMALLOC), NULL, nearly);
	check(HAS(GLIBC), NULL, unknown);
}

static void test_jemalloc(void **state)
{
	const struct fixture python[] = {
		AT(0x7f45dbe00000, 0x7f45dda00000, "rw-p", NR, MAP_JEMALLOC),
		AT(0x7f45dda00000, 0x7f45ddc00000, "rw-p", 0, MAP_OTHER), /* python's arenas */
		AT(0x7f45e62d1000, 0x7f45e6651000, "rw-p", NR, MAP_JEMALLOC),
		AT(0x7f45e7000000, 0x7f45e7001000, "r--p", NR, MAP_OTHER),
		END,
	};
	const struct fixture mixed[] = { AT(0x7f45dbe00000, 0x7f45dda00000, "rw-p", NR, MAP_OTHER),
		END };
	const struct fixture unasked[] = {
		AT(0x7f45dbe00000, 0x7f45dda00000, "rw-p", 0, MAP_OTHER, .has_no_flags = true), END
	};

	(void)state;
	check(HAS(GLIBC) | HAS(JEMALLOC) | HAS(PYTHON), NULL, python);
	check(HAS(GLIBC) | HAS(JEMALLOC) | HAS(V8), NULL, mixed);
	check(HAS(GLIBC), NULL, mixed);
	check(HAS(GLIBC) | HAS(JEMALLOC), NULL, unasked);
}

/* The native Claude Code: all it allocates is mimalloc's, JavaScriptCore has its structures. */
static void test_javascriptcore(void **state)
{
	const struct fixture claude[] = {
		AT(0x25f29600000, 0x25f69600000, "rw-p", NR, MAP_MIMALLOC),
		AT(0x7fca00000000, 0x7fcb00000000, "rw-p", NR | NH, MAP_JAVASCRIPTCORE),
		AT(0x7fcbd1c00000, 0x7fcbd2000000, "rw-p", NR | NH, MAP_OTHER),
		AT(0x7fcbd203d000, 0x7fcbd203e000, "---p", 0, MAP_RESERVATION),
		AT(0x7fcbd203e000, 0x7fcbd603e000, "rwxp", NR | DC | NH, MAP_JIT),
		AT(0x7fcbd603e000, 0x7fcbd603f000, "---p", 0, MAP_RESERVATION),
		END,
	};
	const struct fixture nearly[] = {
		AT(0x7fc900000000, 0x7fc980000000, "rw-p", NR, MAP_OTHER), /* too small */
		AT(0x7fca10000000, 0x7fcb10000000, "rw-p", NR, MAP_OTHER), /* not aligned */
		AT(0x7fcd00000000, 0x7fce00000000, "rw-p", 0, MAP_OTHER),  /* reserved */
		END,
	};

	(void)state;
	check(HAS(GLIBC) | HAS(JAVASCRIPTCORE) | HAS(MIMALLOC), NULL, claude);
	check(HAS(GLIBC) | HAS(JAVASCRIPTCORE), NULL, nearly);
	check(HAS(GLIBC), NULL,
		(const struct fixture[]){
			AT(0x7fca00000000, 0x7fcb00000000, "rw-p", NR, MAP_OTHER), END });
}

static void test_v8(void **state)
{
	const struct fixture node[] = {
		AT(0x16b4eb80000, 0x16b4ebc0000, "rw-p", NR | DC, MAP_V8),
		AT(0x16ada2cc0000, 0x16ada2ccd000, "r--p", NR | DC, MAP_V8),
		AT(0x7f5c50000000, 0x7f5c50002000, "rw-p", NR | DC, MAP_V8),
		AT(0x7f5c50002000, 0x7f5c50003000, "---p", NR | DC, MAP_V8),
		AT(0x7f5c50003000, 0x7f5c5003f000, "rwxp", NR | DC, MAP_JIT),
		AT(0x7f5c5003f000, 0x7f5c6fe40000, "---p", NR | DC, MAP_V8),
		AT(0x7f5c70000000, 0x7f5c70021000, "rw-p", NR, MAP_GLIBC_ARENA),
		AT(0x7f5c70021000, 0x7f5c74000000, "---p", NR, MAP_GLIBC_ARENA),
		AT(0x7f5c77cd4000, 0x7f5c77cd6000, "rw-p", 0, MAP_OTHER),
		END,
	};
	const struct fixture nearly[] = {
		AT(0x16b4eb80000, 0x16b4ebc0000, "rw-p", DC, MAP_OTHER),
		AT(0x16b5eb80000, 0x16b5ebc0000, "rw-p", NR, MAP_OTHER),
		END,
	};
	const struct fixture unknown[] = {
		AT(0x16b4eb80000, 0x16b4ebc0000, "rw-p", NR | DC, MAP_OTHER), END
	};

	(void)state;
	check(HAS(GLIBC) | HAS(V8), NULL, node);
	check(HAS(GLIBC) | HAS(V8), NULL, nearly);
	check(HAS(GLIBC), NULL, unknown);
}

static void test_go(void **state)
{
	const uint64_t pointers[] = { 0xc000050000, 0 }; /* a thread on a goroutine's stack */
	const struct fixture go[] = {
		AT(0xc000000000, 0xc000400000, "rw-p", 0, MAP_GO),
		AT(0xc000400000, 0xc004000000, "---p", 0, MAP_GO),
		AT(0x7f0000000000, 0x7f0000040000, "rw-p", 0, MAP_OTHER),
		END,
	};
	const struct fixture unknown[] = { AT(0xc000000000, 0xc000400000, "rw-p", 0, MAP_OTHER),
		END };

	(void)state;
	check(HAS(GO), pointers, go);
	check(HAS(GLIBC), NULL, unknown);
}

static void test_jit_and_reservations(void **state)
{
	const struct fixture some[] = {
		AT(0x1000, 0x2000, "r-xp", 0, MAP_JIT),
		AT(0x3000, 0x4000, "r-xs", 0, MAP_OTHER),
		AT(0x5000, 0x6000, "---p", NR, MAP_RESERVATION),
		AT(0x7000, 0x8000, "---p", 0, MAP_OTHER,
			.rss_bytes = 4096), /* there is something */
		AT(0x9000, 0xa000, "---s", 0, MAP_OTHER),
		AT(0xb000, 0xc000, "r--p", NR, MAP_OTHER),
		AT(0xd000, 0xe000, "---p", 0, MAP_RESERVATION, .path = "[anon:x]"),
		END,
	};

	(void)state;
	check(HAS(GLIBC), NULL, some);
}

/* A mapping that two rules claim belongs to neither. */
static void test_claimed_twice(void **state)
{
	const struct fixture both[] = { AT(0xc000000000, 0xc000200000, "rw-p", NR | DC, MAP_OTHER),
		END };

	(void)state;
	check(HAS(GO) | HAS(V8), NULL, both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_brk),
		cmocka_unit_test(test_arenas),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_mimalloc),
		cmocka_unit_test(test_jemalloc),
		cmocka_unit_test(test_javascriptcore),
		cmocka_unit_test(test_v8),
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_jit_and_reservations),
		cmocka_unit_test(test_claimed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
