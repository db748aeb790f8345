/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields: every column, JSON key and filter name is described once, in the
 * table of its schema, and rendered, merged and documented from there.
 */
#ifndef SOOTH_FIELD_H
#define SOOTH_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sooth/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers stand in captures: new ones come last. */
enum sooth_field_type {
	SOOTH_FIELD_UNSIGNED = 1, /* 1, 2, 4 or 8 bytes in the fixed part */
	SOOTH_FIELD_SIGNED,	  /* 4 or 8 bytes */
	SOOTH_FIELD_REAL,	  /* double */
	SOOTH_FIELD_BOOL,	  /* 1 byte */
	SOOTH_FIELD_ENUM,	  /* 1, 2 or 4 bytes, named by the field's names */
	SOOTH_FIELD_ERRNO,	  /* a positive errno value, 1, 2 or 4 bytes; 0: no error */
	SOOTH_FIELD_TEXT,	  /* struct sooth_text: bytes, UTF-8 hoped for */
	SOOTH_FIELD_CHARS,	  /* a NUL-padded array of char in the fixed part */
	SOOTH_FIELD_ARGS,	  /* struct sooth_text: NUL-separated arguments */
	SOOTH_FIELD_LIST,	  /* struct sooth_text: 32-bit unsigned numbers */
	SOOTH_FIELD_HISTOGRAM,	  /* 32-bit counts in the fixed part; slot i: from 2^i to 2^(i+1) */
	SOOTH_FIELD_TEXTS,	  /* struct sooth_text: texts, each ended by NUL */
	SOOTH_FIELD_ROWS,	  /* struct sooth_text: records of the schema `rows` */
	SOOTH_FIELD_SERIES, /* struct sooth_text: doubles, one a stretch of time; NaN: a gap */
};

enum sooth_unit {
	SOOTH_UNIT_NONE = 0,
	SOOTH_UNIT_BYTES,
	SOOTH_UNIT_NS,	    /* a duration */
	SOOTH_UNIT_TIME_NS, /* CLOCK_MONOTONIC */
	SOOTH_UNIT_UTC_NS,  /* since 1970 */
	SOOTH_UNIT_PERCENT, /* of one CPU, or of the whole named in the help */
	SOOTH_UNIT_HEX,	    /* an address or a mask */
	SOOTH_UNIT_S,	    /* whole seconds */
};

/* How two values of one key become one. */
enum sooth_merge {
	SOOTH_MERGE_KEY = 0, /* part of the key, or not merged at all */
	SOOTH_MERGE_SUM,
	SOOTH_MERGE_MIN,
	SOOTH_MERGE_MAX,
	SOOTH_MERGE_LAST,
};

/* The state of a field's value. */
enum sooth_state {
	SOOTH_STATE_VALUE = 0,
	SOOTH_STATE_ABSENT,	  /* there is none: a kernel thread has no command line */
	SOOTH_STATE_TRUNCATED,	  /* the value is a prefix */
	SOOTH_STATE_REDACTED,	  /* there is one, kept out on purpose */
	SOOTH_STATE_NOT_MEASURED, /* with a reason */
};

enum sooth_reason {
	SOOTH_REASON_NONE = 0,
	SOOTH_REASON_PERMISSION,    /* the system refused */
	SOOTH_REASON_ENDED,	    /* the process ended before it was read */
	SOOTH_REASON_UNSUPPORTED,   /* not available on this system */
	SOOTH_REASON_INTERVAL,	    /* needs two samples, there was one */
	SOOTH_REASON_NOT_REQUESTED, /* expensive, and not requested */
	SOOTH_REASON_FAILED,	    /* reading it failed in another way */
	SOOTH_REASON_NOT_JUDGED,    /* this version of sooth does not check it */
	SOOTH_REASON_BLOCKED,	    /* no answer: a dead mount, a stuck device */
	SOOTH_REASON_UNSEEN,	    /* its start was not seen: it started before attach, or seccomp
				       answered it */
	SOOTH_REASON_COVERED,	    /* the process overwrote its command line */
	SOOTH_REASON_AGENT,	    /* the agent writes it nowhere, or in an unknown place */
	SOOTH_REASON_UNDECIDED,	    /* the values that were read allow no decision */
	SOOTH_REASON_EXPENSIVE,	    /* reading it would take longer than sooth may */
};

/* A state byte as it stands in a record: state and its reason. */
#define SOOTH_STATE(state, reason) ((uint8_t)((state) | (reason) << 4))
#define SOOTH_NOT_MEASURED(reason) SOOTH_STATE(SOOTH_STATE_NOT_MEASURED, reason)

/* How secrets in a field are masked before a record reaches a report or a capture. */
enum sooth_masking {
	SOOTH_MASK_BY_TYPE = 0,	  /* TEXT and CHARS as a text, all others not */
	SOOTH_MASK_ARGUMENTS,	  /* a command line: an argument is known by the one before it */
	SOOTH_MASK_ARGUMENTS_CUT, /* the same, done by its reader: masked before it is cut */
};

/* Runs of the target's bytes that stand in a record and in no field: what the arguments of a call
 * point to. They are masked as texts. */
struct sooth_runs {
	uint16_t offset; /* offset of the struct sooth_text with the runs */
	uint16_t size;	 /* least size of a fixed part with that member */
	/* The next run of `bytes` from `*at` on, which is moved behind it; false: there is none. */
	bool (*next)(const char *bytes, size_t size, size_t *at, size_t *begin, size_t *length);
};

struct sooth_names {
	size_t count;
	const char *const *names; /* names[value], for value < count; NULL: unnamed */
};

struct sooth_schema;

/* Fields, their names and their schemas are the library's, constant, and there until the program
 * ends. */
struct sooth_field {
	const char *name;  /* JSON key, column id, filter name */
	const char *label; /* column heading; NULL: the name in capitals */
	const char *help;  /* meaning and source of the field */
	enum sooth_field_type type;
	enum sooth_unit unit;
	enum sooth_merge merge;
	uint16_t offset;       /* of the member, from the record's start */
	uint16_t size;	       /* of the member */
	uint16_t state_offset; /* of its state byte; 0: always a value */
	bool may_shrink;       /* a narrow terminal may cut it; argument lists always may */
	bool is_hidden;	       /* in JSON and on request, not in a table by itself */
	bool is_key;	       /* names the row among those of its process; see schema_row_key() */
	bool is_single;	       /* ROWS: there is one, an object */
	/* ROWS: an object, whose keys are the rows' first fields; of rows with two fields the
	 * second is the value, else the rest is an object. */
	bool is_keyed;
	uint8_t least_width; /* may_shrink: least columns of a cut text; 0: width of the heading */
	uint8_t decimals;    /* REAL: number of decimals; 255: all digits */
	const struct sooth_names *names;
	const struct sooth_schema *rows; /* of SOOTH_FIELD_ROWS */
	/* SOOTH_FIELD_LEVELS numbers, in the value's unit: the thresholds of the
	 * three colors, mild to alarming. NULL: never colored. */
	const double *levels;
	/* TEXT: a private name; a redacted report shows "user-1" instead. */
	const char *placeholder; /* "user"; NULL: no private name */
	enum sooth_masking masking;
};

#define SOOTH_FIELD_LEVELS 3

/*
 * A value got out of a record, in the field's unit. There is one when the state is VALUE, and a
 * part of one when it is TRUNCATED; in all other states the union is nothing to read. Texts and
 * lists are borrowed from the record.
 */
struct sooth_value {
	enum sooth_field_type type; /* determines the member of the union */
	enum sooth_state state;
	enum sooth_reason reason; /* of NOT_MEASURED */
	union {
		uint64_t u; /* UNSIGNED, BOOL, ERRNO; ENUM: look it up in field->names */
		int64_t i;  /* SIGNED */
		double f;   /* REAL */
		struct {    /* TEXT, CHARS, ARGS, TEXTS; ROWS: sooth_rows_next() */
			const char *data; /* not NUL-terminated */
			size_t size;	  /* bytes */
		} text;
		struct { /* LIST, HISTOGRAM, SERIES */
			/* Unaligned little-endian 32-bit numbers; of SERIES doubles. */
			const unsigned char *data;
			size_t count; /* of numbers */
		} list;
	};
};

enum sooth_class {
	SOOTH_CLASS_EVENT,	/* something happened */
	SOOTH_CLASS_AGGREGATE,	/* counted over a window; deltas */
	SOOTH_CLASS_SAMPLE,	/* a state at a moment */
	SOOTH_CLASS_TICK,	/* time passed */
	SOOTH_CLASS_DEFINITION, /* names something once; repeated in each segment */
	SOOTH_CLASS_ROW,	/* made by a stage; never in a capture */
};

/* The time that a record covers: it decides whether a time range of a capture has the record. */
enum sooth_time_span {
	SOOTH_TIME_SPAN_MOMENT, /* its own */
	/* From 64 bits right behind the header to its own; 0: start unknown. */
	SOOTH_TIME_SPAN_WINDOW, /* as a whole: a count cannot be divided */
	SOOTH_TIME_SPAN_REACH,	/* any of it: what was not seen */
	SOOTH_TIME_SPAN_RUN,	/* all: it is said once */
};

struct sooth_schema {
	const char *name; /* "syscalls.count" */
	uint16_t kind;	  /* of its records; 0: of rows, which their section identifies */
	enum sooth_class class_;
	uint16_t fixed_size; /* header and fixed part, as this build writes it */
	const struct sooth_field *fields;
	size_t field_count;
	/*
	 * How a line of text shows it, NULL: as a table row. {name} is a field;
	 * [...] is left out when a field in it has no value (or is empty).
	 */
	const char *line;
	enum sooth_time_span time_span;
	const struct sooth_runs *runs; /* NULL: none */
};

/*
 * The value of a field. Safe on any record whose words and fixed_words hold
 * (see sooth_record_check()): a member the writer did not know is ABSENT, a
 * text that points outside the record is NOT_MEASURED (FAILED).
 */
struct sooth_value sooth_field_get(
	const struct sooth_field *field, const struct sooth_record *record);
/* The field of that name; NULL: it has none. */
const struct sooth_field *sooth_schema_field(const struct sooth_schema *schema, const char *name);
/*
 * The value as people read it: with its unit, names for numbers; "-" where there is none, "?" where
 * it was not measured. Control characters, which may come from a target, are escaped. At most
 * `size` bytes are written, a NUL among them; returns how many there would be without it.
 */
size_t sooth_field_text(
	const struct sooth_field *field, const struct sooth_record *record, char *out, size_t size);
/* The records of a value of SOOTH_FIELD_ROWS one by one, of the schema field->rows: the first for
 * `before` NULL, then the one behind that. NULL: there is no more. Borrowed as the value is. */
const struct sooth_record *sooth_rows_next(
	const struct sooth_value *rows, const struct sooth_record *before);
/* True when `size` bytes at record hold one whole, well-formed record. `record` is on a multiple of
 * 8 bytes, as in a block or in memory of malloc(). */
bool sooth_record_check(const struct sooth_record *record, size_t size);
/* "permission denied", for people; never NULL, static. */
const char *sooth_reason_text(enum sooth_reason reason);

#ifdef __cplusplus
}
#endif
#endif
