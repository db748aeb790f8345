/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracers on this host. A tracer is a file with a known name that the caller may run, in the
 * folders where systems put programs and in those of the caller's search path. Reading a folder
 * may never return (a dead mount in PATH), so that has a timeout per folder.
 *
 * Cannot be seen: tracers under other names, in containers, or in folders of other users.
 */
#include "os/linux/host/tracers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "collect/backend.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/host_files.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"
#include "os/linux/rights/tracer_rights.h"
#include "os/os.h"
#include "probes/host.h"

/* --- versions of packages --- */

/*
 * From the system's own lists. dpkg's list is text in stanzas (deb822(5)), apk's too, with one
 * letter per field. Both are read once.
 *
 * Cannot be seen: RPM's list, which is a database.
 */

struct package_versions {
	struct buffer list; /* dpkg's or apk's; read at the first use */
	bool is_read;
	bool is_apk;
};

#define LIST_BYTES_MAX (32u << 20) /* 100,000 packages */

/* Returns the value of "Field: value" in a stanza, empty if there is none. A stanza is lines up to
 * an empty one. */
static struct span stanza_field(struct span stanza, const char *field)
{
	struct cursor c = cursor_over(stanza.data, stanza.size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor at = cursor_over(line.data, line.size);

		if (!cursor_skip(&at, field))
			continue;
		cursor_blanks(&at);
		return span_of((const char *)at.at, cursor_left(&at));
	}
	return span_of("", 0);
}

/* Finds the stanza that begins with the line, at the start of the list or of a line. */
static bool find_stanza(
	struct span *stanza, const char *field, struct span package, const void *data, size_t size)
{
	const char *at = data, *end = at + size;
	char line[PACKAGE_VERSION_SIZE + 16];
	size_t length = strlen(field) + package.size + 1;

	if (!size || length >= sizeof(line) || memchr(package.data, '\n', package.size))
		return false;
	memcpy(line, field, strlen(field));
	memcpy(line + strlen(field), package.data, package.size);
	line[length - 1] = '\n';
	while (at < end && (at = memmem(at, (size_t)(end - at), line, length))) {
		const char *stop;

		if (at != data && at[-1] != '\n') {
			at++;
			continue;
		}
		stop = memmem(at, (size_t)(end - at), "\n\n", 2);
		*stanza = span_of(at, (size_t)((stop ? stop : end) - at));
		return true;
	}
	return false;
}

bool package_list_dpkg(struct span *version, struct span package, const void *data, size_t size)
{
	struct span stanza, found;

	if (!find_stanza(&stanza, "Package: ", package, data, size))
		return false;
	found = stanza_field(stanza, "Version:");
	if (!found.size || !span_ends(stanza_field(stanza, "Status:"), " ok installed"))
		return false;
	*version = found;
	return true;
}

/* Parses the list of apk. Fields of a stanza have no fixed order there, but the package's name
 * precedes its version. */
bool package_list_apk(struct span *version, struct span package, const void *data, size_t size)
{
	struct span stanza, found;

	if (!find_stanza(&stanza, "P:", package, data, size))
		return false;
	found = stanza_field(stanza, "V:");
	if (!found.size)
		return false;
	*version = found;
	return true;
}

static void read_list(struct package_versions *v)
{
	v->is_read = true;
	if (procfs_read_at(AT_FDCWD, "/var/lib/dpkg/status", &v->list, LIST_BYTES_MAX) >= 0)
		return;
	v->is_apk = true;
	if (procfs_read_at(AT_FDCWD, "/lib/apk/db/installed", &v->list, LIST_BYTES_MAX) < 0)
		buffer_reset(&v->list);
}

static bool is_packaged(const char *path)
{
	return (!strncmp(path, "/usr/", 5) && strncmp(path, "/usr/local/", 11)) ||
	       !strncmp(path, "/bin/", 5) || !strncmp(path, "/sbin/", 6);
}

/* Finds the version of a file's package. Returns a field's state; with a value `version` is filled.
 * Only files below /usr, /bin or /sbin, but not below /usr/local, belong to packages. */
static uint8_t package_versions_find(struct package_versions *v, const char *path,
	const char *package, char version[PACKAGE_VERSION_SIZE])
{
	struct span found, name = span_of(package, strlen(package));
	bool is_there;

	if (!is_packaged(path))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!v->is_read)
		read_list(v);
	is_there = v->is_apk ? package_list_apk(&found, name, v->list.data, v->list.size)
			     : package_list_dpkg(&found, name, v->list.data, v->list.size);
	if (!is_there || found.size >= PACKAGE_VERSION_SIZE)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	memcpy(version, found.data, found.size);
	version[found.size] = '\0';
	return SOOTH_STATE_VALUE;
}

static void package_versions_fini(struct package_versions *v)
{
	buffer_fini(&v->list);
}

#define FOLDER_MAX  512
#define FOLDERS_MAX 64 /* of the caller's search path */
#define PATH_SIZE   (FOLDER_MAX + 64)
#define NAMES_MAX   3

struct tracer {
	const char *name;
	const char *files[NAMES_MAX]; /* any of these */
	const char *package;	      /* to look up the version with; NULL: the tracer's name */
	enum tracer_way way;
	bool is_program; /* a script of that name is something else */
	const char *purpose;
};

static const struct tracer tracers[] = {
	{ "strace", { "strace" }, NULL, TRACER_PTRACE, false, "system calls, decoded" },
	{ "ltrace", { "ltrace" }, NULL, TRACER_PTRACE, false, "calls into libraries" },
	{ "gdb", { "gdb" }, NULL, TRACER_PTRACE, false, "debugger" },
	{ "gdbserver", { "gdbserver" }, NULL, TRACER_PTRACE, false, "remote debugger" },
	{ "lldb", { "lldb", "lldb-19", "lldb-14" }, NULL, TRACER_PTRACE, false, "debugger" },
	{ "perf", { "perf" }, "linux-perf", TRACER_PERF, false, "samples, counters, events" },
	{ "bpftrace", { "bpftrace" }, NULL, TRACER_ROOT, false, "tracing scripts in the kernel" },
	{ "bcc", { "opensnoop-bpfcc", "opensnoop" }, "bpfcc-tools", TRACER_BPF, false,
		"ready-made kernel tracing tools" },
	{ "trace-cmd", { "trace-cmd" }, NULL, TRACER_TRACEFS, false, "the kernel's ftrace" },
	{ "sysdig", { "sysdig" }, NULL, TRACER_ROOT, false, "system calls of the host" },
	{ "stap", { "stap" }, "systemtap", TRACER_MODULE, false, "tracing scripts in the kernel" },
	/* systemtap installs a script with this name that makes headers. */
	{ "dtrace", { "dtrace" }, NULL, TRACER_ROOT, true, "tracing scripts in the kernel" },
	{ "lttng", { "lttng" }, "lttng-tools", TRACER_MODULE, false, "events into files" },
	{ "fatrace", { "fatrace" }, NULL, TRACER_FANOTIFY, false, "file accesses by process" },
	{ "tcpdump", { "tcpdump" }, NULL, TRACER_PACKETS, false, "packets" },
	{ "tshark", { "tshark", "dumpcap" }, NULL, TRACER_PACKETS, false, "packets, decoded" },
	{ "valgrind", { "valgrind" }, NULL, TRACER_STARTS, false, "memory errors, by emulation" },
	{ "heaptrack", { "heaptrack" }, NULL, TRACER_STARTS_OR_PTRACE, false, "allocations" },
	{ "memray", { "memray" }, NULL, TRACER_STARTS_OR_PTRACE, false, "allocations of Python" },
	{ "py-spy", { "py-spy" }, NULL, TRACER_PTRACE, false, "stacks of Python" },
	{ "rbspy", { "rbspy" }, NULL, TRACER_PTRACE, false, "stacks of Ruby" },
	{ "uftrace", { "uftrace" }, NULL, TRACER_STARTS, false, "calls of functions" },
	{ "rr", { "rr" }, NULL, TRACER_PERF_STARTS, false, "records, and replays to a debugger" },
	{ "sysprof", { "sysprof-cli" }, NULL, TRACER_PERF, false, "samples of the host" },
};

#define TRACERS ARRAY_SIZE(tracers)

/* Those of the system first: a folder that precedes them in PATH is searched anyway. */
static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
	"/bin", "/sbin", "/usr/share/bcc/tools", "/snap/bin" };

/* --- searching --- */

struct found_file {
	bool is_there;
	uint8_t file; /* index in the tracer's files */
	uint64_t capabilities;
};

/* One folder, read in another process: no pointers to other memory. */
struct folder_scan {
	char folder[FOLDER_MAX];
	struct found_file found[TRACERS];
};

static bool is_script(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[2] = "";

	return fd >= 0 && read(fd, magic, 2) == 2 && !memcmp(magic, "#!", 2);
}

static uint64_t read_file_capabilities(const char *path, const struct stat *st)
{
	unsigned char attribute[32];
	ssize_t size = getxattr(path, "security.capability", attribute, sizeof(attribute));
	uint64_t permitted = 0;

	if (st->st_mode & S_ISUID && st->st_uid == 0)
		return UINT64_MAX;
	if (size > 0)
		host_capability_parse(&permitted, attribute, (size_t)size);
	return permitted;
}

static bool find_file(const char *folder, const char *file, bool is_program, uint64_t *capabilities)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (stat(path, &st) || !S_ISREG(st.st_mode) || access(path, X_OK))
		return false;
	if (is_program && is_script(path))
		return false;
	*capabilities = read_file_capabilities(path, &st);
	return true;
}

static void scan_folder(void *argument)
{
	struct folder_scan *scan = argument;

	for (size_t i = 0; i < TRACERS; i++) {
		const struct tracer *t = &tracers[i];

		for (size_t k = 0; k < NAMES_MAX && t->files[k] && !scan->found[i].is_there; k++) {
			scan->found[i].is_there = find_file(scan->folder, t->files[k],
				t->is_program, &scan->found[i].capabilities);
			scan->found[i].file = (uint8_t)k;
		}
	}
}

struct search {
	struct found_file found[TRACERS];
	char folder[TRACERS][FOLDER_MAX]; /* where each was found */
	struct timeout timeout;
};

static void search_folder(struct backend_run *run, struct search *s, struct span folder)
{
	struct folder_scan scan = { 0 };
	int status;

	if (!folder.size || folder.size >= FOLDER_MAX || folder.data[0] != '/')
		return;
	memcpy(scan.folder, folder.data, folder.size);
	status = timeout_call(&s->timeout, scan_folder, NULL, &scan, sizeof(scan), -1, TIMEOUT_MS);
	if (status) {
		backend_limit(run, "tracers in a folder of the search path",
			"reading the folder timed out", "");
		return;
	}
	for (size_t i = 0; i < TRACERS; i++) {
		if (s->found[i].is_there || !scan.found[i].is_there)
			continue;
		s->found[i] = scan.found[i];
		memcpy(s->folder[i], scan.folder, FOLDER_MAX);
	}
}

static void search_path(struct backend_run *run, struct search *s)
{
	const char *path =
		run->options.observer.search_path ? run->options.observer.search_path : "";
	struct cursor c = cursor_over(path, strlen(path));
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		search_folder(run, s, span_of(folders[i], strlen(folders[i])));
	while (!cursor_at_end(&c) && count++ < FOLDERS_MAX)
		search_folder(run, s, cursor_until(&c, ':'));
	if (!cursor_at_end(&c))
		backend_limit(run, "tracers in all folders of the search path",
			"only the first 64 are read", "");
}

/* --- records --- */

static void write_tracer(struct backend_run *run, struct host_tracer *r, const char *name,
	const char *path, const char *version, const char *purpose, const char *need,
	const char *missing)
{
	struct record_tail tail[] = {
		tail_string(&r->name, name),
		tail_string(&r->path, path),
		tail_string(&r->version, version),
		tail_string(&r->purpose, purpose),
		tail_string(&r->need, need),
		tail_string(&r->missing, missing),
	};

	r->record = (struct sooth_record){
		.time_ns = run->os->now_ns(run->os), .kind = HOST_TRACER, .cpu = SOOTH_CPU_NONE
	};
	r->path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	r->missing_state = missing ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	RECORD_APPEND(&run->out, r, tail, ARRAY_SIZE(tail));
}

/* Emits sooth's own reach now, by the rules its probes follow. */
static void emit_sooth(struct backend_run *run)
{
	struct sooth_error refusal = { 0 };
	struct host_tracer r = { .version_state = SOOTH_STATE_VALUE };
	const char *missing = NULL;

	r.reach = HOST_REACH_ALL;
	if (need_bpf.test(run->os, &refusal)) {
		r.reach = HOST_REACH_OWN;
		missing = "cap_bpf and cap_perfmon for system calls and allocations; root for "
			  "other users' processes";
	} else if (caller_is_elevated() || !needs_has_capability(CAP_SYS_PTRACE)) {
		r.reach = HOST_REACH_OWN;
		missing = "root, for processes of other users";
	}
	write_tracer(run, &r, "sooth", NULL, SOOTH_VERSION,
		"agents, system calls, allocations, connections",
		"own processes: cap_bpf and cap_perfmon for system calls and allocations, nothing "
		"for the rest; all processes: root",
		missing);
}

static void emit_tracer(struct backend_run *run, const struct search *s, size_t i,
	const struct tracer_rights *rights, struct package_versions *versions)
{
	const struct tracer *t = &tracers[i];
	struct tracer_verdict j = tracer_rights_decide(rights, t->way, s->found[i].capabilities);
	struct host_tracer r = { .reach = j.reach };
	char path[PATH_SIZE], version[PACKAGE_VERSION_SIZE];

	snprintf(path, sizeof(path), "%s/%s", s->folder[i], t->files[s->found[i].file]);
	r.version_state =
		package_versions_find(versions, path, t->package ? t->package : t->name, version);
	write_tracer(run, &r, t->name, path, r.version_state ? NULL : version, t->purpose,
		tracer_way_need(t->way), j.missing);
}

void tracers_emit(struct backend_run *run)
{
	struct package_versions versions = { 0 };
	struct tracer_rights rights;
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));

	emit_sooth(run);
	if (!s) {
		backend_limit(run, "tracers of this host", "out of memory", "");
		return;
	}
	tracer_rights_read(&rights);
	search_path(run, s);
	for (size_t i = 0; i < TRACERS; i++) {
		if (s->found[i].is_there)
			emit_tracer(run, s, i, &rights, &versions);
	}
	package_versions_fini(&versions);
	timeout_fini(&s->timeout);
}
