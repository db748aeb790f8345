/* SPDX-License-Identifier: BSD-2-Clause */
/* Kinds of work, recognized by names of functions. */
#include "analyze/profile/profile_patterns.h"

#include <string.h>

#include "base/cleanup.h"

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* One row per kind. A poll that waits uses no CPU, so the share is one of CPU time. */
static const struct profile_pattern patterns[] = {
	[PROFILE_WORK_WATCHING] = { "file-watcher-activity", FINDING_MEDIUM, "watcher",
		NAMES("inotify", "fsnotify", "fanotify", "FSEvent", "uv__fs_event", "PathWatcher",
			"notify::"),
		0.10, "watching files",
		"watch fewer folders: exclude build output and dependencies; sooth inspect "
		"--fds PID lists the watches",
		NULL },
	[PROFILE_WORK_EVENTS] = { "event-loop-spin", FINDING_MEDIUM, NULL,
		NAMES("do_epoll_", "ep_poll", "do_sys_poll", "do_select", "core_sys_select",
			"kevent", "uv__io_poll", "us_loop_run", "g_main_context_poll"),
		0.30, "polling in a loop: events stay unread, or the call does not wait",
		"sooth trace -c PID shows the call that returns at once, and its descriptor",
		NULL },
	[PROFILE_WORK_POLLING] = { "polling-storm", FINDING_MEDIUM, NULL,
		NAMES("do_sched_yield", "do_nanosleep", "vfs_statx", "vfs_fstat", "do_faccessat",
			"sys_getdents64"),
		0.30, "asking again and again instead of waiting for an event",
		"sooth trace -c PID shows the repeated call and its path", NULL },
	[PROFILE_WORK_GC] = { "gc-pressure", FINDING_MEDIUM, "gc",
		NAMES("MarkCompact", "Scavenge", "IncrementalMarking", "ConcurrentMarking",
			"GarbageCollect", "JSC::Heap", "JSC::SlotVisitor", "JSC::MarkedBlock",
			"JSC::MarkedSpace", "gc_collect", "gcDrain", "gcBgMark", "mark_and_sweep"),
		0.20, "garbage collection",
		"the heap is full of live objects, or fills too fast: end or compact the session, "
		"or allow more memory",
		NULL },
	[PROFILE_WORK_CRYPTO] = { "crypto-activity", FINDING_LOW, NULL,
		NAMES("aesni", "aes_gcm", "AES_", "aes_hw", "sha1_block", "sha256_block",
			"sha512_block", "SHA256_", "SHA512_", "ChaCha20", "chacha20", "poly1305",
			"x25519", "ecp_nistz", "bn_mul_mont", "EVP_Cipher", "EVP_Digest",
			"gcm_ghash", "rsaz_"),
		0.10, "encryption and hashes",
		"many new TLS connections or large transfers: sooth inspect --sockets PID",
		/* Assembler and static functions of these have no symbols. */
		NAMES("libcrypto.so", "libgcrypt.so", "libnettle.so", "libsodium.so") },
	[PROFILE_WORK_COMPILING] = { "jit-churn", FINDING_LOW, NULL,
		NAMES("v8::internal::Compiler::", "v8::internal::compiler::",
			"v8::internal::Parser", "v8::internal::PreParser",
			"v8::internal::parsing::", "v8::internal::interpreter::Bytecode",
			"v8::internal::maglev::", "v8::internal::baseline::",
			"v8::internal::OptimizedCompilationJob", "JSC::Parser",
			"JSC::DFG::", "JSC::FTL::", "JSC::BytecodeGenerator", "_PyPegen_",
			"_PyAST_Compile", "_PyAST_Optimize", "_PySymtable_Build"),
		0.30, "compiling code while it runs",
		"keep what eval, new Function, compile() or a template engine made, instead of "
		"making it again each time; sooth profile PID shows the callers",
		NULL },
};

_Static_assert(sizeof(patterns) / sizeof(patterns[0]) == PROFILE_WORKS, "a row for each");

static bool matches_pattern(const struct profile_sums *s, const struct profile_function *f,
	const struct profile_pattern *p)
{
	struct span name = names_get(&s->names, f->name), file = names_get(&s->names, f->file);

	for (size_t i = 0; p->names[i]; i++) {
		if (span_contains(name, p->names[i]))
			return true;
	}
	for (size_t i = 0; p->files && p->files[i]; i++) {
		if (span_starts(file, p->files[i]))
			return true;
	}
	return false;
}

/* Returns the innermost function of the kind. */
static const struct profile_function *find_frame(const struct profile_sums *s,
	const struct profile_stacked *stacked, const struct profile_pattern *p)
{
	for (size_t i = 0; i < stacked->depth; i++) {
		if (matches_pattern(s, stacked->frames[i], p))
			return stacked->frames[i];
	}
	return NULL;
}

struct sum {
	uint64_t samples;
	struct map functions; /* uint32_t name -> uint64_t samples */
};

static void count_stack(const struct profile_sums *s, const struct profile_stacked *stacked,
	const struct profile_pattern *p, struct sum *sum)
{
	const struct profile_function *function = find_frame(s, stacked, p);
	uint64_t *samples = function ? map_put(&sum->functions, &function->name, NULL) : NULL;

	if (!function && !(p->role && span_equal(stacked->role, p->role)))
		return;
	sum->samples += stacked->count.samples;
	if (samples)
		*samples += stacked->count.samples;
}

static struct span top_of(const struct profile_sums *s, const struct sum *sum)
{
	struct span top = span_of("", 0);
	uint64_t most = 0;

	map_for_each (&sum->functions, const uint32_t *, name, const uint64_t *, samples) {
		if (*samples <= most)
			continue;
		most = *samples;
		top = names_get(&s->names, *name);
	}
	return top;
}

static void insert_match(
	struct profile_match found[PROFILE_PATTERNS_MAX], size_t count, struct profile_match match)
{
	for (; count && found[count - 1].share < match.share; count--)
		found[count] = found[count - 1];
	found[count] = match;
}

struct profile_match profile_work_of(
	const struct profile_sums *s, const struct process_id *id, enum profile_work work)
{
	struct profile_match match = { .pattern = &patterns[work] };
	struct profile_stacked stacked;
	struct sum sum = { 0 };
	size_t position = 0;

	map_init(&sum.functions, sizeof(uint32_t), sizeof(uint64_t), UINT16_MAX);
	while (profile_sums_next(s, &position, &stacked)) {
		if (memcmp(&stacked.id, id, sizeof(*id)) != 0)
			continue;
		match.samples += stacked.count.samples;
		count_stack(s, &stacked, match.pattern, &sum);
	}
	match.share = match.samples ? (double)sum.samples / (double)match.samples : 0;
	match.function = top_of(s, &sum);
	map_fini(&sum.functions);
	return match;
}

size_t profile_patterns_match(const struct profile_sums *s, const struct process_id *id,
	struct profile_match found[PROFILE_PATTERNS_MAX])
{
	size_t count = 0;

	for (enum profile_work work = 0; work < PROFILE_WORKS; work++) {
		struct profile_match match = profile_work_of(s, id, work);

		if (match.samples >= PROFILE_PATTERN_LEAST &&
			match.share >= match.pattern->least_share)
			insert_match(found, count++, match);
	}
	return count;
}
