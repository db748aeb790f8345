/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_by_stack.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"

static const struct section by_stack_section = {
	.name = "heap_stacks",
	.title = "code that allocates, by memory not freed",
	.schema = &heap_stack_row_schema,
	.shape = SECTION_TABLE,
	.columns = "live_bytes,live_blocks,allocated_bytes,calls,stack",
	.rows_most = HEAP_STACKS_SHOWN,
};

void heap_by_stack_init(struct profile_sums *sums)
{
	profile_sums_init(sums);
	sums->stack_kind = HEAP_STACK;
	sums->frame_kind = HEAP_FRAME;
}

const char *heap_by_name(size_t index)
{
	static const char *const names[] = { [HEAP_BY_STACK] = "stack",
		[HEAP_BY_FUNCTION] = "function",
		[HEAP_BY_LIBRARY] = "library",
		[HEAP_BY_THREAD] = "thread",
		[HEAP_BY_SIZE] = "size",
		[HEAP_BY_CLASS] = "class" };

	return index < HEAP_BYS ? names[index] : NULL;
}

static void note_unstacked(const struct heap_scope *scope, const struct heap_live *live)
{
	char text[96];

	if (!live->unstacked)
		return;
	snprintf(text, sizeof(text), "%llu call%s without a stack: it was lost",
		(unsigned long long)live->unstacked, live->unstacked == 1 ? "" : "s");
	output_limit(scope->output, "the code of some allocations", text,
		"a larger buffer loses less: --buffer 128M");
}

static int emit_table(struct heap_scope *scope, struct heap_stacks_merged *stacks,
	const struct profile_sums *sums, bool is_estimated, struct sooth_error *err)
{
	struct section section = by_stack_section;
	int status;

	if (is_estimated)
		section.columns = "live_bytes,live_error_bytes,live_blocks,allocated_bytes,"
				  "allocated_error_bytes,calls,stack";
	status = heap_section(scope, &section, err);

	qsort(stacks->all, stacks->count, sizeof(*stacks->all), heap_stacks_by_live);
	for (size_t i = 0; i < stacks->count && !status; i++)
		status = heap_stack_emit(scope->output, &stacks->all[i], sums, err);
	return status;
}

int heap_by_stack_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, const struct heap_table_options *options,
	struct sooth_error *err)
{
	struct heap_stacks_merged stacks;
	int status;

	note_unstacked(scope, live);
	if (live->groups.by)
		return heap_by_group_emit(scope, live, err);
	if (!live->stacks.count) {
		if (live->estimates.sample_bytes && !live->unstacked)
			output_limit(scope->output, "which code allocates",
				"no allocation was among the samples",
				"sample more often: --sample-bytes 4K");
		else if ((options->stacks || options->answer) && !live->unstacked)
			output_limit(scope->output, "which code allocates",
				"no call with a stack was recorded",
				"sooth heap --stack PID records them; --save FILE.sooth keeps "
				"them");
		return 0;
	}
	if (!options->answer && options->by == HEAP_BY_CLASS)
		return heap_sizes_emit(scope, live, sums, false, err);
	if (!options->answer && options->by)
		return heap_by_name_emit(scope, live, sums, options->by == HEAP_BY_LIBRARY, err);
	if (options->answer == HEAP_SIZES)
		return heap_sizes_emit(scope, live, sums, true, err);
	status = heap_stacks_merge(&stacks, live, sums, scope->output, err);
	if (!status)
		status = options->answer == HEAP_LEAKS
				 ? heap_leaks_emit(scope, live, &stacks, sums, err)
			 : options->answer == HEAP_CHURN
				 ? heap_churn_emit(scope, live, &stacks, sums, err)
				 : emit_table(scope, &stacks, sums,
					   live->estimates.sample_bytes != 0, err);
	free(stacks.all);
	return status;
}
