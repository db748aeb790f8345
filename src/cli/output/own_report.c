/* SPDX-License-Identifier: BSD-2-Clause */
/* A report about sooth itself. */
#include "cli/output/own_report.h"

#include <assert.h>

#include "base/file.h"
#include "cli/output/deferred.h"
#include "collect/collector.h"
#include "explain/registry.h"
#include "explain/summary.h"
#include "os/os.h"
#include "sinks/raster.h"

/* Emits the notes that every report has; they are mostly empty, as nothing was observed. */
static int emit_notes(struct output *o, struct sooth_error *err)
{
	struct summary summary = { .has_self = true };
	struct buffer self = { 0 };
	int status;

	collector_self(&os_native, &self, 0, 0);
	if (!buffer_failed(&self))
		summary_add_record(&summary, (const void *)self.data);
	status = summary_emit(&summary, o, err);
	buffer_fini(&self);
	summary_fini(&summary);
	return status;
}

static int emit_all(const char *name, struct output *o,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err)
{
	struct report_head head = { name, REPORT_SCHEMA_VERSION };
	int status = output_begin(o, &head, err);

	if (!status)
		status = tell(o, user, err);
	if (!status)
		status = emit_notes(o, err);
	return status ? status : output_end(o, err);
}

int own_report_emit(const char *name, const struct output_options *options,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err)
{
	struct out_file file = { 0 };
	struct held held = { 0 };
	struct output *o = NULL;
	int status = output_new(&o, err);

	assert(options);
	if (!status)
		status = out_file_open(&file, options->output ? options->output : "-", false, err);
	if (!status)
		status = held_begin(&held, options, file.stream, err);
	if (!status) {
		struct sooth_sink_options s = output_sink_options(options, file.stream);
		struct sink_options own = { .stream = held.stream ? held.stream : s.stream,
			.width = s.width,
			.use_color = s.use_color,
			.is_verbose = s.is_verbose };

		status = output_add_sink(
			o, registry_sink(output_sink_name(options, false)), &own, err);
	}
	if (!status && options->filter)
		status = output_filter(o, options->filter, err);
	if (!status)
		status = emit_all(name, o, tell, user, err);
	output_free(o);
	return held_commit(&held, &file, status, err);
}

static int add_file_sink(
	struct output *o, const struct own_file *file, FILE *stream, struct sooth_error *err)
{
	const struct sink_type *type = registry_sink(file->sink);
	struct sink_options options = { .stream = stream };

	if (!file->is_picture || !output_is_png(file->path))
		return output_add_sink(o, type, &options, err);
	options.user = (void *)type;
	return output_add_sink(o, &raster_sink, &options, err);
}

int own_report_write(const char *name, const struct own_file *files, size_t count,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err)
{
	struct out_file out[OWN_FILES_MAX] = { 0 };
	struct output *o = NULL;
	int status = output_new(&o, err);

	count = count < OWN_FILES_MAX ? count : OWN_FILES_MAX;
	for (size_t i = 0; i < count && !status; i++) {
		status = out_file_open(&out[i], files[i].path, false, err);
		if (!status)
			status = add_file_sink(o, &files[i], out[i].stream, err);
	}
	if (!status)
		status = emit_all(name, o, tell, user, err);
	output_free(o);
	for (size_t i = 0; i < count; i++) {
		if (!status)
			status = out_file_commit(&out[i], err);
		out_file_close(&out[i]);
	}
	return status;
}
