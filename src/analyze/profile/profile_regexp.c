/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/profile_regexp.h"

#define INSIDE_MAX 5 /* most frames below an engine; a callback has more */
#define GAP_MAX	   2 /* most frames within an engine without a known name */

/* Beginnings of function names. */
static const char *const names[] = {
	"[regular expression]", /* code that V8 generates, see v8_frame.c */
	"v8::internal::RegExp",
	"v8::internal::Irregexp",
	"v8::internal::NativeRegExp",
	"v8::internal::Runtime_RegExp",
	"v8::internal::(anonymous namespace)::RawMatch",
	"Builtins_RegExp",
	"JSC::Yarr::",
	"sre_ucs", /* Python's _sre */
	"sre_match",
	"sre_search",
	"_sre_SRE_",
	"Perl_regexec",
	"Perl_pregexec",
	"S_regmatch",
	"S_regtry",
	"pcre_exec",
	"pcre2_match",
	"pcre2_jit_match",
	"onig_match",
	"onig_search",
	"rb_reg_search",
	"regexec", /* of libc */
	"re_search",
	"re_match",
	"regexp.(*", /* Go */
	"regex_automata::",
	"regex::",
	"re2::",
	"std::__detail::_Executor",
	"java.util.regex.",
	"Ljava/util/regex/",
	"java/util/regex/",
};

/* Beginnings of file names of engines. */
static const char *const files[] = { "libpcre", "libonig.", "libre2.", "_regex." };

/* Returns whether it is a function of Python's module re, which calls the engine. */
static bool is_wrapper(const struct profile_sums *s, const struct profile_function *f)
{
	static const char *const wrappers[] = { "match", "fullmatch", "search", "sub", "subn",
		"split", "findall" };
	struct span name = names_get(&s->names, f->name), file = names_get(&s->names, f->file);

	if (f->kind != PROFILE_SCRIPT ||
		!(span_starts(file, "__init__.py") || span_starts(file, "re.py")))
		return false;
	return SPAN_ANY(name, span_equal, wrappers);
}

static bool is_regexp_engine(const struct profile_sums *s, const struct profile_function *f)
{
	struct span name = names_get(&s->names, f->name), file = names_get(&s->names, f->file);

	if (f->is_named && SPAN_ANY(name, span_starts, names))
		return true;
	return SPAN_ANY(file, span_starts, files);
}

size_t profile_regexp_frames(const struct profile_sums *s, const struct profile_stacked *stacked)
{
	size_t end = 0, others = 0;

	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];

		/* A wrapper that calls native code is in the engine, even if that has no names. */
		if (is_regexp_engine(s, f) || (i && is_wrapper(s, f))) {
			end = i + 1;
			others = 0;
		} else if (f->kind == PROFILE_SCRIPT ||
			   (f->kind != PROFILE_KERNEL && ++others > (end ? GAP_MAX : INSIDE_MAX))) {
			break;
		}
	}
	return end;
}
