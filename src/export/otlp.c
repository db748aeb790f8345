/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/otlp.h"

#include <string.h>

const char *const otlp_signal_names[] = { [OTLP_TRACES] = "traces", [OTLP_LOGS] = "logs", NULL };

static int write_request(void *user, const struct otlp_request *request, struct sooth_error *err)
{
	struct otlp_export *s = user;
	struct buffer *bytes = &s->out->bytes;

	if (!s->has[request->signal])
		return 0;
	if (s->encoding == OTLP_PROTOBUF) {
		for (int bit = 24; bit >= 0; bit -= 8)
			buffer_char(bytes, (char)(request->size >> bit));
	}
	buffer_append(bytes, request->data, request->size);
	if (s->encoding == OTLP_JSON)
		buffer_char(bytes, '\n');
	return tabular_write_full(s->out, err);
}

int otlp_export_open(struct export_place *p, enum otlp_encoding encoding, struct sooth_error *err)
{
	struct otlp_export *s = p->state;
	const struct otlp_options options = {
		.encoding = encoding, .take = write_request, .user = s
	};

	(void)err;
	s->out = &p->out;
	s->encoding = encoding;
	for (size_t i = 0; otlp_signal_names[i]; i++) {
		s->has[i] = encoding == OTLP_JSON || i == OTLP_TRACES;
		if (p->options->signal)
			s->has[i] = !strcmp(p->options->signal, otlp_signal_names[i]);
	}
	otlp_stream_init(&s->stream, &options);
	return 0;
}

int otlp_export_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct otlp_export *s = p->state;

	if (table->is_of_records)
		return otlp_stream_add(&s->stream, r, err);
	if (!strcmp(table->name, "api_call"))
		otlp_stream_add_call(&s->stream, table->schema, r);
	return 0;
}

int otlp_export_finish(struct export_place *p, struct sooth_error *err)
{
	struct otlp_export *s = p->state;
	int status = otlp_stream_finish(&s->stream, err);

	if (s->stream.refused)
		buffer_format(&p->told->limits,
			"  %llu sessions or API calls left out: too many at a time\n",
			(unsigned long long)s->stream.refused);
	return status;
}

void otlp_export_close(struct export_place *p)
{
	struct otlp_export *s = p->state;

	if (s->out) /* it was opened */
		otlp_stream_fini(&s->stream);
}
