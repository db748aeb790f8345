/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/runtime_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX     (1u << 18)
#define NAMES_BYTES   (48u << 20)
#define NOTED_PERCENT 10 /* of the frames: a smaller share without names is not reported */

#define RUNTIME(name) extern const struct runtime runtime_##name;
#include "os/linux/runtimes/runtimes.def"
#undef RUNTIME

const struct runtime *const runtime_table[RUNTIMES] = {
#define RUNTIME(name) &runtime_##name,
#include "os/linux/runtimes/runtimes.def"
#undef RUNTIME
};

void runtime_set_init(struct runtime_set *s, const char *cache_folder)
{
	s->cache_folder = cache_folder ? strdup(cache_folder) : NULL;
	names_init(&s->names, NAMES_MAX, NAMES_BYTES);
	for (size_t i = 0; i < RUNTIMES; i++) {
		struct runtime_state *state = runtime_table[i]->state_size
						      ? calloc(1, runtime_table[i]->state_size)
						      : NULL;

		s->states[i] = state;
		if (!state)
			continue;
		state->id = (enum runtime_id)i;
		state->map = -1;
		map_init(&state->files, sizeof(uint64_t), runtime_table[i]->file_size,
			RUNTIME_FILES_MAX);
		state->names = &s->names;
		state->cache_folder = s->cache_folder;
		if (runtime_table[i]->init)
			runtime_table[i]->init(state);
	}
}

void runtime_set_fini(struct runtime_set *s)
{
	for (size_t i = 0; i < RUNTIMES; i++) {
		struct runtime_state *state = s->states[i];

		if (!state)
			continue;
		if (runtime_table[i]->fini)
			runtime_table[i]->fini(state);
		map_fini(&state->files);
		timeout_fini(&state->timeout);
		free(state);
	}
	names_fini(&s->names);
	free(s->cache_folder);
}

void runtime_set_share(struct runtime_set *s, struct bpf_code *code, struct walks_control *control)
{
	for (size_t i = 0; i < RUNTIMES; i++) {
		struct runtime_state *state = s->states[i];

		if (!state || !runtime_table[i]->kernel_map)
			continue;
		state->map = bpf_code_map(code, runtime_table[i]->kernel_map);
		state->known = &control->known;
	}
}

bool runtime_set_has(const struct runtime_set *s, uint64_t file)
{
	bool has = false;

	for (size_t i = 0; i < RUNTIMES && !has; i++) {
		const struct runtime_state *state = s->states[i];

		has = state && runtime_table[i]->is_beside && map_get(&state->files, &file);
	}
	return has;
}

bool runtime_set_functions(struct runtime_set *s, enum runtime_id id,
	const struct runtime_frame *at, struct runtime_functions *out)
{
	struct runtime_frame own = *at;

	out->place = RUNTIME_NONE;
	out->count = 0;
	if (own.beside && own.beside->runtime != id)
		own.beside = NULL;
	if (s->states[id] && runtime_table[id]->functions)
		runtime_table[id]->functions(s->states[id], &own, out);
	return out->place != RUNTIME_NONE;
}

void runtime_set_name(const struct runtime_set *s, enum runtime_id id, uint32_t name,
	const char **function, const char **place, const char **line)
{
	struct span text = name == NAMES_NONE ? span_of("", 0) : names_get(&s->names, name);

	/* Each ends with a NUL. */
	*function = text.size ? text.data : NULL;
	*place = text.size ? text.data + strlen(text.data) + 1 : runtime_table[id]->title;
	*line = text.size ? *place + strlen(*place) + 1 : NULL;
	if (text.size && *line >= text.data + text.size)
		*line = NULL;
}

void runtime_refused(struct backend_run *run, const char *what, const uint64_t *refused,
	const char *const *reasons, size_t count, uint64_t frames)
{
	uint64_t all = 0;
	size_t most = 0;
	char text[200];

	for (size_t i = 0; i < count; i++) {
		all += reasons[i] ? refused[i] : 0;
		if (reasons[i] && (!reasons[most] || refused[i] > refused[most]))
			most = i;
	}
	if (!all || !frames || 100 * (double)all / (double)frames < NOTED_PERCENT)
		return;
	snprintf(text, sizeof(text), "%.0f %% of their frames; most: %s",
		100 * (double)all / (double)frames, reasons[most]);
	backend_limit(run, what, text, "");
}
