/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/statusline/readings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sentence_units.h"
#include "cli/state/user_folder.h"

#define MAGIC	      0x31656e696c737373ull /* the layout of the file */
#define KEPT_MAX      512
#define PERCENT_NS    (300 * NS_PER_MS) /* CPU time has the resolution of a clock tick */
#define KEEP_NS	      (5 * NS_PER_S)	/* a reading is compared for so long */
#define OLD_NS	      (600 * NS_PER_S)	/* afterwards nothing follows from it */
#define SCAN_NS	      (20 * NS_PER_S)	/* then new sessions are looked for */
#define BUSY_PERCENT  85		/* as of the finding cpu-spin */
#define NOISE_BYTES   65536		/* as of the finding memory-growth, likewise the next two */
#define GROWN_BYTES   (16u << 20)
#define RISES_LEAST   4
#define GROWN_NS      (60 * NS_PER_S)
#define ZOMBIES_LEAST 5 /* as of the finding zombie-children */
#define NAME_BYTES    32

/* A process in the file. */
struct kept_process {
	struct process_id id;
	uint64_t cpu_ns, rss_bytes;
	uint64_t first_bytes, first_ns; /* where its memory began to rise */
	uint32_t rises;			/* readings in a row with more memory than before */
	uint16_t is_zombie, is_main;
};

struct kept {
	uint64_t magic, time_ns, cpu_ns;
	uint64_t scan_ns;	/* when every process of the user was read */
	struct process_id main; /* zeros: of all sessions */
	double percent;
	char finding[READING_TEXT_SIZE];
	uint64_t count;
	struct kept_process processes[KEPT_MAX];
};

static const struct user_folder_kind folder_kind = { .below = ".local/state/sooth/statusline",
	.variable = "XDG_STATE_HOME",
	.below_variable = "sooth/statusline",
	.option = "fifo-dir" };

/* --- the file --- */

static void file_name(char name[NAME_BYTES], uint32_t main_pid)
{
	snprintf(name, NAME_BYTES, "%u", main_pid);
}

/* Returns the size of the part that is in use. */
static size_t kept_size(const struct kept *k)
{
	return offsetof(struct kept, processes) + (size_t)k->count * sizeof(k->processes[0]);
}

/* Reads the file. False: there is none, or it is not this user's own or whole. */
static bool read_kept(const struct user_folder *f, const char *name, struct kept *k)
{
	_cleanup_close_ int fd =
		openat(f->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t got;

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_uid != f->uid ||
		status.st_mode & 077)
		return false;
	got = read(fd, k, sizeof(*k));
	k->finding[READING_TEXT_SIZE - 1] = '\0';
	return got >= (ssize_t)offsetof(struct kept, processes) && k->magic == MAGIC &&
	       k->count <= KEPT_MAX && (size_t)got == kept_size(k);
}

static void write_kept(const struct user_folder *f, const char *name, const struct kept *k)
{
	char temporary[NAME_BYTES];
	int fd;
	bool is_whole;

	snprintf(temporary, sizeof(temporary), ".%d", (int)getpid());
	fd = openat(f->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	is_whole = write(fd, k, kept_size(k)) == (ssize_t)kept_size(k);
	close(fd);
	if (!is_whole || renameat(f->fd, temporary, f->fd, name))
		unlinkat(f->fd, temporary, 0);
}

/* Removes the files of ended sessions. */
static void remove_ended(const struct user_folder *f)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct process_glance g;

	while (folder && (entry = readdir(folder))) {
		int pid = atoi(entry->d_name + (entry->d_name[0] == '.'));

		if (pid > 0 && os_native.glance(&os_native, pid, &g))
			unlinkat(f->fd, entry->d_name, 0);
	}
}

/* --- comparing --- */

static const struct kept_process *find_process(const struct kept *k, const struct process_id *id)
{
	for (size_t i = 0; i < k->count; i++) {
		if (process_id_equal(&k->processes[i].id, id))
			return &k->processes[i];
	}
	return NULL;
}

static struct kept_process process_of(
	const struct session_process *of, const struct kept_process *before, uint64_t now)
{
	const struct process_glance *g = &of->glance;
	struct kept_process p = { .id = g->id,
		.cpu_ns = g->cpu_ns,
		.rss_bytes = g->rss_bytes,
		.first_bytes = g->rss_bytes,
		.first_ns = now,
		.is_main = of->is_main,
		.is_zombie = g->state == 'Z' };

	if (before && g->rss_bytes + NOISE_BYTES >= before->rss_bytes) {
		p.first_bytes = before->first_bytes;
		p.first_ns = before->first_ns;
		p.rises = before->rises + (g->rss_bytes > before->rss_bytes + NOISE_BYTES);
	}
	return p;
}

static void fill_kept(struct kept *k, const struct kept *before, const struct sessions *s,
	uint32_t main_pid, uint64_t now)
{
	*k = (struct kept){ .magic = MAGIC,
		.time_ns = now,
		.scan_ns = s->is_scanned || !before ? now : before->scan_ns,
		.percent = -1 };
	buffer_each (const struct session_process, p, &s->processes) {
		k->cpu_ns += p->glance.cpu_ns + p->glance.waited_ns;
		if (main_pid && p->is_main)
			k->main = p->glance.id;
		if (k->count < KEPT_MAX)
			k->processes[k->count++] = process_of(
				p, before ? find_process(before, &p->glance.id) : NULL, now);
	}
}

/* Adds main processes that a scan has found since. */
static void remember_mains(struct kept *k, const struct sessions *s)
{
	buffer_each_while (const struct session_process, p, &s->processes, k->count < KEPT_MAX) {
		if (p->is_main && !find_process(k, &p->glance.id))
			k->processes[k->count++] = process_of(p, NULL, k->time_ns);
	}
}

/* Says what both readings of a process prove. */
static void put_process_finding(char out[READING_TEXT_SIZE], const struct process_glance *g,
	const struct kept_process *was, const struct kept_process *is, uint64_t interval_ns)
{
	uint64_t gained = increase_u64(is->rss_bytes, is->first_bytes);
	uint64_t cpu_ns = increase_u64(is->cpu_ns, was->cpu_ns);

	if (is->rises >= RISES_LEAST && gained >= GROWN_BYTES && g->age_ns >= GROWN_NS)
		snprintf(out, READING_TEXT_SIZE, "%s (%u): resident memory keeps growing: %s in %s",
			g->name, g->id.pid, SENTENCE_SIZE(gained),
			SENTENCE_DURATION(increase_u64(clock_monotonic_ns(), is->first_ns)));
	else if (!out[0] && cpu_ns * 100 >= interval_ns * BUSY_PERCENT)
		snprintf(out, READING_TEXT_SIZE, "%s (%u) uses %u %% of a CPU", g->name, g->id.pid,
			(unsigned)(cpu_ns * 100 / interval_ns));
}

static void find_finding(struct kept *k, const struct kept *before, const struct sessions *s)
{
	uint64_t interval_ns = k->time_ns - before->time_ns;
	unsigned zombies = 0;

	for (size_t i = 0; i < k->count; i++) {
		const struct kept_process *was = find_process(before, &k->processes[i].id);

		if (!was)
			continue;
		zombies += was->is_zombie && k->processes[i].is_zombie;
		put_process_finding(
			k->finding, &sessions_at(s, i)->glance, was, &k->processes[i], interval_ns);
	}
	if (zombies >= ZOMBIES_LEAST && !k->finding[0])
		snprintf(k->finding, sizeof(k->finding), "%u exited children are not reaped",
			zombies);
}

static double percent_between(const struct kept *now, const struct kept *before)
{
	return (double)increase_u64(now->cpu_ns, before->cpu_ns) * 100 /
	       (double)(now->time_ns - before->time_ns);
}

static void compare_readings(struct readings *r, struct kept *now, const struct kept *before,
	const struct sessions *s, bool *is_kept)
{
	uint64_t age_ns = now->time_ns - before->time_ns;

	r->cpu_percent = age_ns >= PERCENT_NS ? percent_between(now, before) : before->percent;
	*is_kept = age_ns < KEEP_NS;
	if (!*is_kept)
		find_finding(now, before, s);
	now->percent = r->cpu_percent;
	snprintf(r->finding, sizeof(r->finding), "%s", *is_kept ? before->finding : now->finding);
}

/* Reads the file of a session, or of all. */
static bool read_file(uint32_t main_pid, struct kept *k)
{
	char name[NAME_BYTES];
	struct user_folder f;
	struct sooth_error ignored;
	bool is_read = false;

	if (user_folder_make(&f, &folder_kind, NULL, &ignored))
		return false;
	file_name(name, main_pid);
	if (!user_folder_enter(&f, &ignored)) {
		is_read = read_kept(&f, name, k);
		user_folder_leave(&f);
	}
	user_folder_close(&f);
	return is_read;
}

bool readings_have(const struct process_id *main)
{
	_cleanup_free_ struct kept *k = calloc(1, sizeof(*k));

	return k && read_file(main->pid, k) && process_id_equal(&k->main, main);
}

size_t readings_list_mains(pid_t *mains, size_t max)
{
	_cleanup_free_ struct kept *k = calloc(1, sizeof(*k));
	uint64_t now = clock_monotonic_ns();
	size_t count = 0;

	if (!k || !read_file(0, k) || k->scan_ns > now || now - k->scan_ns > SCAN_NS)
		return 0;
	for (size_t i = 0; i < k->count && count < max; i++) {
		if (k->processes[i].is_main && os_native.is_alive(&os_native, &k->processes[i].id))
			mains[count++] = (pid_t)k->processes[i].id.pid;
	}
	return count;
}

void readings_compare(struct readings *r, const struct sessions *s, uint32_t main_pid)
{
	_cleanup_free_ struct kept *now = calloc(1, sizeof(*now)),
				   *before = calloc(1, sizeof(*now));
	uint64_t now_ns = clock_monotonic_ns();
	char name[NAME_BYTES];
	struct user_folder f;
	struct sooth_error ignored;
	bool has_before, is_kept = false;

	*r = (struct readings){ .cpu_percent = -1 };
	if (!now || !before || user_folder_make(&f, &folder_kind, NULL, &ignored))
		return;
	file_name(name, main_pid);
	if (!user_folder_enter(&f, &ignored)) {
		has_before = read_kept(&f, name, before) && before->time_ns < now_ns &&
			     now_ns - before->time_ns < OLD_NS;
		fill_kept(now, has_before ? before : NULL, s, main_pid, now_ns);
		has_before &= process_id_equal(&now->main, &before->main);
		if (has_before)
			compare_readings(r, now, before, s, &is_kept);
		else
			remove_ended(&f);
		/* A new scan is remembered at once. */
		if (is_kept && s->is_scanned) {
			before->scan_ns = now_ns;
			remember_mains(before, s);
			write_kept(&f, name, before);
		} else if (!is_kept) {
			write_kept(&f, name, now);
		}
		user_folder_leave(&f);
	}
	user_folder_close(&f);
}
