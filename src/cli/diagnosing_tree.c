/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/diagnosing_tree.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/agents/process_table_scan.h"

#define TREE_MOST 64 /* processes; a build has more, and each costs time to observe */

/* By the names of processes. sudo, env and exec wrappers that stay are among them; those that
 * become the program are that program. */
static const char *const launchers[] = { "ash", "bash", "busybox", "catatonit", "chrt", "conmon",
	"containerd-shim", "csh", "dash", "dbus-run-sessio", "doas", "docker-init", "dumb-init",
	"entr", "env", "fish", "ionice", "ksh", "make", "mksh", "ninja", "nohup", "npm", "npx",
	"parallel", "pnpm", "runuser", "s6-supervise", "s6-svscan", "script", "setpriv", "setsid",
	"sh", "stdbuf", "su", "sudo", "tcsh", "time", "timeout", "tini", "unshare", "watch",
	"xargs", "xvfb-run", "yarn", "zsh" };

/* "npm run dev" and "npm exec x" are names that npm gives itself. */
static bool is_named(struct span name, const char *launcher)
{
	size_t size = strlen(launcher);

	return name.size >= size && !memcmp(name.data, launcher, size) &&
	       (name.size == size || name.data[size] == ' ');
}

static bool is_launcher(const struct process_entry *p)
{
	struct span name = process_table_field(&p->process->record, &p->process->name);

	for (size_t i = 0; i < ARRAY_SIZE(launchers); i++) {
		if (is_named(name, launchers[i]))
			return true;
	}
	return false;
}

static void add_below(const struct process_entry *p, struct buffer *pids)
{
	for (const struct process_entry *c = p->first_child; c; c = c->next_sibling) {
		uint32_t pid = (uint32_t)c->id.pid;

		if (pids->size / sizeof(pid) > TREE_MOST || pid == (uint32_t)getpid())
			continue;
		if (c->is_there && c->process->state != 'Z')
			buffer_append(pids, &pid, sizeof(pid));
		add_below(c, pids);
	}
}

int diagnosing_add_tree(struct buffer *pids, struct sooth_error *err)
{
	uint32_t root = *(const uint32_t *)(const void *)pids->data;
	struct process_table table;
	struct process_entry *p;
	size_t position = 0, before = pids->size;
	int status = process_table_scan(&table, err);

	while (!status && (p = process_table_next(&table, &position))) {
		if (p->id.pid != root)
			continue;
		if (is_launcher(p))
			add_below(p, pids);
		break;
	}
	process_table_fini(&table);
	if (!status && buffer_failed(pids))
		status = error_no_memory(err);
	return status ? status : pids->size > before;
}
