/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/agent_logs/agent_branch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "os/linux/files/root_file.h"

#define PATH_ROOM  1024
#define SMALL_MAX  (PATH_ROOM + 16)
#define LEVELS_MAX 64

static int read_small(struct buffer *out, int root, const char *folder, const char *name)
{
	char file[PATH_ROOM * 2 + 16];
	struct stat st;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	return root_file_whole(root, file, out, SMALL_MAX, &st);
}

/* Reads HEAD. In a linked working tree .git is a file that names the tree's part of the
 * repository. */
static int read_head(struct buffer *out, int root, const char *folder)
{
	int status = read_small(out, root, folder, ".git/HEAD");
	char path[PATH_ROOM * 2 + 2];
	struct cursor c;
	struct span to;

	if (status != -ENOTDIR)
		return status;
	status = read_small(out, root, folder, ".git");
	c = cursor_over(out->data, status ? 0 : out->size);
	if (status || !cursor_skip(&c, "gitdir: "))
		return status ? status : -ENOENT;
	to = cursor_line(&c);
	snprintf(path, sizeof(path), "%s/%.*s", span_starts(to, "/") ? "" : folder, SPAN_ARGS(to));
	return read_small(out, root, path, "HEAD");
}

/* Takes the branch of "ref: refs/heads/main"; without a branch the text is a hash. */
static void take_branch(char branch[AGENT_BRANCH_MAX + 1], struct cursor head)
{
	struct span name = span_of("", 0);

	if (cursor_skip(&head, "ref: refs/heads/"))
		name = cursor_line(&head);
	for (size_t i = 0; i < name.size; i++) {
		if ((unsigned char)name.data[i] <= ' ' || name.data[i] == 0x7f)
			return; /* git allows no such name */
	}
	if (name.size <= AGENT_BRANCH_MAX)
		snprintf(branch, AGENT_BRANCH_MAX + 1, "%.*s", SPAN_ARGS(name));
}

int agent_branch_read(char branch[AGENT_BRANCH_MAX + 1], int root, const char *directory)
{
	struct buffer head = { 0 };
	char folder[PATH_ROOM];
	int status = -ENOENT;

	assert(branch);
	assert(directory);
	branch[0] = '\0';
	if (directory[0] != '/' || strlen(directory) >= sizeof(folder))
		return -ENOENT;
	strcpy(folder, directory);
	for (int i = 0; i < LEVELS_MAX && folder[0] && status == -ENOENT; i++) {
		status = read_head(&head, root, folder);
		*strrchr(folder, '/') = '\0';
	}
	if (!status)
		take_branch(branch, cursor_over(head.data, head.size));
	buffer_fini(&head);
	return status;
}
