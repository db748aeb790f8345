/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's names for peers of connections. */
#include "cli/config/labels.h"

#include <assert.h>

#include "analyze/sockets/sockets.h"

#include "cli/config/config_files.h"

#define FILE_MAX (1u << 20)

/* Reads a file of labels. A missing file is no failure. */
static int read_file(struct buffer *out, const char *path, struct sooth_error *err)
{
	int status = config_read(out, path, FILE_MAX, NULL, err);

	return status && config_is_missing(-status) ? 0 : status;
}

int labels_read(struct labels *l, struct sooth_error *err)
{
	struct sooth_error ignored;
	struct config_file file;
	int status = config_file_read(&file, "peers", FILE_MAX, err);

	assert(l);
	l->path = file.path;
	l->rules = file.text;
	/* An error in the system's file is not the user's fault. */
	if (!status && read_file(&l->hosts, "/etc/hosts", &ignored))
		buffer_reset(&l->hosts);
	return status;
}

void labels_options(struct labels *l, struct sockets_options *out)
{
	assert(l);
	*out = (struct sockets_options){ .labels = (const char *)l->rules.data,
		.labels_size = l->rules.size,
		.labels_name = buffer_cstr(&l->path),
		.hosts = (const char *)l->hosts.data,
		.hosts_size = l->hosts.size };
}

void labels_fini(struct labels *l)
{
	assert(l);
	buffer_fini(&l->path);
	buffer_fini(&l->rules);
	buffer_fini(&l->hosts);
}
