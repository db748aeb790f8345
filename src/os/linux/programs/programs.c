/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of processes. */
#include "os/linux/programs/programs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recognize/script.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/read_at.h"
#include "os/linux/files/procfs.h"
#include "symbols/bun.h"
#include "symbols/elf_sections.h"

#define FILES_MAX     4096
#define PROCESSES_MAX 65536
#define MARKS_MS      1000 /* megabytes, perhaps from a slow disk */
#define NAME_SIZE     32
#define TEXTS_MAX     2
#define SCAN_MAX      (32u << 20) /* per text: more than an entry module or .rodata has */
#define PIECE_SIZE    (64u << 10)
#define OVERLAP	      128  /* no mark is longer */
#define NEARBY_SIZE   1024 /* a version is searched for this near to a mark */
#define BUN_SECTION   ".bun"
#define TEXT_SECTION  ".rodata"
#define GO_SECTION    ".gopclntab" /* names of functions; Go 1.27 moved other names */

/* --- texts that identify an agent, in an executable --- */

/*
 * Which texts that identify an agent (struct agent_program) an executable contains: read from its
 * ELF sections, independent of its name or place. A file is read once, for all its processes, and
 * only if it is large: every agent's own program is.
 *
 * Cannot be seen: texts behind the first megabytes of a section, programs of Bun with a packing
 * unknown to bun.h, executables that may not be opened.
 */

struct program_file {
	int fd;
	struct elf_section bun[TEXTS_MAX], read_only;
	bool has_bun; /* searched */
};

/* --- place of the program's own text --- */

static bool is_bun_module(int fd, uint64_t begin, const struct bun_place *name)
{
	char text[sizeof(BUN_NAME_BEGIN) - 1];

	return name->size > sizeof(text) &&
	       read_all_at(fd, text, sizeof(text), begin + name->offset) &&
	       !memcmp(text, BUN_NAME_BEGIN, sizeof(text));
}

static bool find_entry(struct elf_section *entry, int fd, const struct elf_section *s,
	const struct bun_places *places)
{
	for (unsigned size = BUN_ROW_LEAST; size <= BUN_ROW_MOST; size += BUN_ROW_STEP) {
		unsigned char row[BUN_ROW_LEAST];
		struct bun_place name, contents;
		uint64_t at = s->offset + places->modules.offset + (uint64_t)places->entry * size;

		if (!bun_may_be_row(places, size) || !read_all_at(fd, row, sizeof(row), at) ||
			!bun_parse_row(&name, &contents, row, sizeof(row), s->size) ||
			!is_bun_module(fd, s->offset, &name))
			continue;
		*entry = (struct elf_section){ .offset = s->offset + contents.offset,
			.size = contents.size };
		return true;
	}
	return false;
}

/* Finds the built-in options and the entry script; in an unknown layout, the start of the
 * section. */
static void find_bun_texts(struct program_file *f, const struct elf_section *s)
{
	unsigned char head[BUN_HEAD_SIZE], end[BUN_END_SIZE];
	struct bun_places places;
	uint64_t at;

	f->bun[0] = *s;
	if (!read_all_at(f->fd, head, sizeof(head), s->offset))
		return;
	at = bun_end(head, sizeof(head), s->size);
	if (!at || !read_all_at(f->fd, end, sizeof(end), s->offset + at) ||
		!bun_parse_end(&places, end, sizeof(end), s->size))
		return;
	f->bun[1] = (struct elf_section){ .offset = s->offset + places.options.offset,
		.size = places.options.size };
	find_entry(&f->bun[0], f->fd, s, &places);
}

/* --- searching for a text --- */

/* Returns the offset of a text in the file; 0: not found. */
static uint64_t find_text(int fd, const struct elf_section *s, const char *text)
{
	size_t length = strlen(text), kept = 0;
	uint64_t end = s->size < SCAN_MAX ? s->size : SCAN_MAX;
	char piece[OVERLAP + PIECE_SIZE];

	for (uint64_t at = 0; at < end;) {
		size_t want = end - at < PIECE_SIZE ? (size_t)(end - at) : PIECE_SIZE;
		ssize_t n = pread(fd, piece + kept, want, (off_t)(s->offset + at));
		const char *found;

		if (n <= 0)
			return 0;
		found = memmem(piece, kept + (size_t)n, text, length);
		if (found)
			return s->offset + at - kept + (uint64_t)(found - piece);
		at += (uint64_t)n;
		n += (ssize_t)kept;
		kept = (size_t)n < length - 1 ? (size_t)n : length - 1;
		memmove(piece, piece + n - kept, kept);
	}
	return 0;
}

static void read_version(struct program_marks *m, int fd, uint64_t at, const char *behind)
{
	static const char legal[] =
		"0123456789.-+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char near[NEARBY_SIZE + 1];
	ssize_t n = pread(fd, near, NEARBY_SIZE, (off_t)at);
	const char *text;
	size_t size;

	if (n <= 0)
		return;
	near[n] = '\0'; /* so that the span of valid characters ends */
	text = behind[0] ? memmem(near, (size_t)n, behind, strlen(behind)) : near;
	if (!text)
		return;
	text += strlen(behind);
	size = strspn(text, legal);
	if (size < sizeof(m->version)) {
		memcpy(m->version, text, size);
		m->version[size] = '\0';
	}
}

static void add_mark(struct program_marks *m, const struct agent_program *p)
{
	size_t room = sizeof(m->marks) - m->marks_size;
	int size = snprintf(m->marks + m->marks_size, room, "%s %s", p->section, p->holds);

	if (size > 0 && (size_t)size < room)
		m->marks_size = (uint16_t)(m->marks_size + size + 1);
}

/* --- rules --- */

static bool section_begins(int fd, const struct elf_section *s, const char *text)
{
	char bytes[64];
	size_t size = text ? strlen(text) + 1 : 0;

	if (!text)
		return true;
	return size <= sizeof(bytes) && size <= s->size &&
	       read_all_at(fd, bytes, size, s->offset) && !memcmp(bytes, text, size);
}

static void try_rule(struct program_marks *m, struct program_file *f, const struct agent_program *p,
	const struct elf_section *section)
{
	const struct elf_section *texts = &f->read_only;
	size_t count = 1;
	uint64_t at = 0;

	if (!section->size || !section_begins(f->fd, section, p->begins))
		return;
	if (!strcmp(p->section, BUN_SECTION)) {
		if (!f->has_bun)
			find_bun_texts(f, section);
		f->has_bun = true;
		texts = f->bun;
		count = TEXTS_MAX;
	} else if (strstr(p->section, GO_SECTION)) {
		texts = section;
	}
	for (size_t i = 0; i < count && !at; i++)
		at = find_text(f->fd, &texts[i], p->holds);
	if (!at)
		return;
	add_mark(m, p);
	if (p->version_behind)
		read_version(m, f->fd, at + strlen(p->holds), p->version_behind);
}

static size_t list_programs(
	const struct agent_program **programs, const struct agent_set *agents, struct span name)
{
	size_t count = 0;

	agent_set_for_each (agents, agent) {
		for (size_t k = 0; k < agent_rule_count(agent); k++) {
			const struct agent_rule *rule = &agent->rules[k];

			if (rule->kind == AGENT_RULE_PROGRAM && count < AGENT_PROGRAMS_MAX &&
				(!rule->called || span_equal(name, rule->called)))
				programs[count++] = &rule->program;
		}
	}
	return count;
}

/* Reads the marks. `agents`: the rules to try; `name`: name of the file, for rules that need one.
 * Returns 0 or a negative errno. May wait for the disk. */
static int program_marks_read(
	struct program_marks *marks, const struct agent_set *agents, int fd, struct span name)
{
	const struct agent_program *programs[AGENT_PROGRAMS_MAX];
	const char *sections[AGENT_PROGRAMS_MAX + 1];
	struct elf_section found[AGENT_PROGRAMS_MAX + 1];
	struct program_file f = { .fd = fd };
	size_t count;
	int status;

	*marks = (struct program_marks){ 0 };
	count = list_programs(programs, agents, name);
	for (size_t i = 0; i < count; i++)
		sections[i] = programs[i]->section;
	sections[count] = TEXT_SECTION;
	status = elf_sections_find(fd, sections, count + 1, found);
	if (status)
		return status;
	f.read_only = found[count];
	for (size_t i = 0; i < count; i++)
		try_rule(marks, &f, programs[i], &found[i]);
	return 0;
}

/* --- all programs --- */

/* A file that was replaced or written to counts as another one. */
struct file_id {
	uint64_t device, inode;
	uint64_t size, changed_s, changed_ns;
};

struct known_file {
	struct program_marks marks;
	int status;
	struct package package;
	bool has_package; /* looked up */
};

struct known_script {
	uint64_t arguments; /* hash of the arguments, which changes at an exec */
	struct package package;
	int status;
};

void programs_init(struct programs *p, const struct agent_set *agents)
{
	assert(p);
	p->agents = agent_set_ref(agents);
	map_init(&p->files, sizeof(struct file_id), sizeof(struct known_file), FILES_MAX);
	map_init(
		&p->scripts, sizeof(struct process_id), sizeof(struct known_script), PROCESSES_MAX);
	map_init(&p->small, sizeof(struct process_id), sizeof(uint64_t), PROCESSES_MAX);
}

void programs_fini(struct programs *p)
{
	assert(p);
	map_fini(&p->files);
	map_fini(&p->scripts);
	map_fini(&p->small);
	timeout_fini(&p->timeout);
	agent_set_unref(p->agents);
}

/* Identifies a file without waiting for a server: a file whose file system does not know these
 * values is skipped. */
static bool identify_file(struct file_id *id, int folder, const char *name)
{
	struct statx st;

	if (statx(folder, name, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_BASIC_STATS, &st) ||
		!S_ISREG(st.stx_mode) || st.stx_size < PROGRAM_BYTES_LEAST)
		return false;
	*id = (struct file_id){ (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino,
		st.stx_size, (uint64_t)st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec };
	return true;
}

/* --- in a call with a timeout --- */

struct scan {
	int process; /* its own descriptor */
	struct file_id id;
	char path[PACKAGE_PATH_SIZE];
	struct agent_set *agents; /* its own reference */
	struct program_marks marks;
	struct package package;
	int status;
};

/* Reads the marks of a program. O_NONBLOCK: an executable is a regular file, but a link may have
 * been replaced by something else. */
static void run_marks_job(void *argument)
{
	struct scan *l = argument;
	int fd = openat(l->process, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct file_id id;

	if (fd < 0)
		l->status = -errno;
	else if (!identify_file(&id, fd, "") || memcmp(&id, &l->id, sizeof(id)))
		l->status = -EAGAIN; /* the process runs another program by now */
	else
		l->status = program_marks_read(
			&l->marks, l->agents, fd, span_of(l->path, strlen(l->path)));
	if (fd >= 0)
		close(fd);
}

static void run_package_job(void *argument)
{
	struct scan *l = argument;

	l->status = package_find(&l->package, l->process, l->path);
}

static void drop_scan(void *argument)
{
	struct scan *l = argument;

	close(l->process);
	agent_set_unref(l->agents);
}

static void scan_timed(struct programs *p, struct scan *l, int process,
	void (*work)(void *argument), int timeout_ms)
{
	int status;

	l->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	if (l->process < 0) {
		l->status = -errno;
		return;
	}
	l->agents = agent_set_ref(p->agents);
	status = timeout_call(&p->timeout, work, drop_scan, l, sizeof(*l), l->process, timeout_ms);
	if (status != -ETIMEDOUT) /* after a timeout the thread owns it */
		drop_scan(l);
	if (status)
		l->status = status;
}

/* --- executables --- */

static void set_path(struct scan *l, struct span path)
{
	snprintf(l->path, sizeof(l->path), "%.*s", SPAN_ARGS(path));
}

static bool has_room(struct span path)
{
	return path.size && path.size < PACKAGE_PATH_SIZE;
}

static void scan_file(struct programs *p, const struct program_process *process,
	const struct file_id *id, struct known_file *file)
{
	struct span name = path_base(process->executable);
	struct scan l = { .process = -1, .id = *id };

	if (name.size < NAME_SIZE)
		set_path(&l, name);
	scan_timed(p, &l, process->process, run_marks_job, MARKS_MS);
	file->marks = l.marks;
	file->status = l.status;
	if (!has_room(process->executable) || !path_package(process->executable, NULL).size)
		return;
	l = (struct scan){ .process = -1 };
	set_path(&l, process->executable);
	scan_timed(p, &l, process->process, run_package_job, TIMEOUT_MS);
	file->has_package = !l.status;
	file->package = l.package;
}

static void find_file_facts(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, process->executable.data, process->executable.size),
		 *small = map_get(&p->small, &process->id);
	struct known_file *known, unkept = { 0 };
	struct file_id id = { 0 };
	bool is_new;

	if (small && *small == hash)
		return;
	if (!identify_file(&id, process->process, "exe")) {
		small = map_put(&p->small, &process->id, NULL);
		if (small)
			*small = hash;
		return;
	}
	known = map_put(&p->files, &id, &is_new);
	if (!known)
		known = &unkept;
	if (known == &unkept || is_new)
		scan_file(p, process, &id, known);
	facts->marks = known->marks;
	facts->marks_state = procfs_state(known->status);
	if (known->has_package) {
		facts->package = known->package;
		facts->package_state = SOOTH_STATE_VALUE;
	}
	if (known->status == -EAGAIN)
		map_remove(&p->files, &id);
}

/* --- scripts --- */

/* Returns the path of the script: absolute, in the root of the process. */
static bool script_path(const struct program_process *process, struct scan *l)
{
	struct span path = script_of(INTERPRETER_JAVASCRIPT, process->arguments).path;
	struct span folder = process->directory;

	if (!path.size || path.size + folder.size + 1 >= sizeof(l->path))
		return false;
	if (path.data[0] == '/')
		set_path(l, path);
	else
		snprintf(l->path, sizeof(l->path), "%.*s/%.*s", SPAN_ARGS(folder), SPAN_ARGS(path));
	return true;
}

static void find_script_package(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, process->arguments.data, process->arguments.size);
	struct known_script *known = map_get(&p->scripts, &process->id);
	struct scan l = { .process = -1 };

	if (known && known->arguments == hash) {
		facts->package = known->package;
		facts->package_state =
			known->status ? procfs_state(known->status) : SOOTH_STATE_VALUE;
		return;
	}
	if (!script_path(process, &l))
		return;
	scan_timed(p, &l, process->process, run_package_job, TIMEOUT_MS);
	facts->package = l.package;
	facts->package_state = l.status ? procfs_state(l.status) : SOOTH_STATE_VALUE;
	known = map_put(&p->scripts, &process->id, NULL);
	if (known)
		*known = (struct known_script){ hash, l.package, l.status };
}

void programs_find(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	assert(process);
	assert(facts);
	*facts = (struct program_facts){ .marks_state = SOOTH_STATE_ABSENT,
		.package_state = SOOTH_STATE_ABSENT };
	if (!process->executable.size)
		return;
	find_file_facts(p, process, facts);
	if (interpreter_of(process->executable) == INTERPRETER_JAVASCRIPT)
		find_script_package(p, process, facts);
	if (!facts->package_state && !facts->package.name[0])
		facts->package_state = SOOTH_STATE_ABSENT;
}
