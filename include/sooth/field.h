/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields: every column, JSON key and filter name is described once, in the table of its schema.
 * That table drives output, merging and documentation.
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

/* Captures contain these numbers: new types come last. */
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
	SOOTH_FIELD_SERIES,	  /* struct sooth_text: a double for each time bucket; NaN: a gap */
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

/* How the values of two records with the same key are merged into one value. */
enum sooth_merge {
	SOOTH_MERGE_KEY = 0, /* part of the key, or never merged */
	SOOTH_MERGE_SUM,
	SOOTH_MERGE_MIN,
	SOOTH_MERGE_MAX,
	SOOTH_MERGE_LAST,
};

/* The state of a field's value. */
enum sooth_state {
	SOOTH_STATE_VALUE = 0,
	SOOTH_STATE_ABSENT,	  /* no value exists: a kernel thread has no command line */
	SOOTH_STATE_TRUNCATED,	  /* the value is a prefix */
	SOOTH_STATE_REDACTED,	  /* a value exists, but was removed on purpose */
	SOOTH_STATE_NOT_MEASURED, /* with a reason */
};

enum sooth_reason {
	SOOTH_REASON_NONE = 0,
	SOOTH_REASON_PERMISSION,    /* the system refused */
	SOOTH_REASON_ENDED,	    /* the process ended before it was read */
	SOOTH_REASON_UNSUPPORTED,   /* not available on this system */
	SOOTH_REASON_INTERVAL,	    /* needs two samples, but there was only one */
	SOOTH_REASON_NOT_REQUESTED, /* expensive, and not requested */
	SOOTH_REASON_FAILED,	    /* reading it failed in another way */
	SOOTH_REASON_NOT_JUDGED,    /* this version of sooth does not check it */
	SOOTH_REASON_BLOCKED,	    /* no answer: a dead mount, a stuck device */
	SOOTH_REASON_UNSEEN,	    /* the call began before attach, or seccomp answered it */
	SOOTH_REASON_COVERED,	    /* the process overwrote its command line */
	SOOTH_REASON_AGENT,	    /* the agent does not write it to a known place */
	SOOTH_REASON_UNDECIDED,	    /* the values that were read allow no decision */
	SOOTH_REASON_EXPENSIVE,	    /* reading it takes longer than sooth may */
};

/* The state byte of a record: a state and its reason. */
#define SOOTH_STATE(state, reason) ((uint8_t)((state) | (reason) << 4))
#define SOOTH_NOT_MEASURED(reason) SOOTH_STATE(SOOTH_STATE_NOT_MEASURED, reason)

/* How secrets in a field are masked before a record reaches a report or a capture. */
enum sooth_masking {
	SOOTH_MASK_BY_TYPE = 0, /* TEXT and CHARS as a text, all others not */
	SOOTH_MASK_ARGUMENTS,	/* a command line: the argument before a secret shows that it is one
				 */
	SOOTH_MASK_ARGUMENTS_CUT, /* the same, but the reader of the command line masks before it
				     cuts */
};

/* Bytes of the target in a record that belong to no field: the data to which arguments of a call
 * point. Each run of these bytes is masked like a text. */
struct sooth_runs {
	uint16_t offset; /* offset of the struct sooth_text with the runs */
	uint16_t size;	 /* size of the smallest fixed part that has this member */
	/* Finds the next run in `bytes` from `*at` on, and moves `*at` behind it; false: no
	 * more. */
	bool (*next)(const char *bytes, size_t size, size_t *at, size_t *begin, size_t *length);
};

struct sooth_names {
	size_t count;
	const char *const *names; /* names[value], for value < count; NULL: unnamed */
};

struct sooth_schema;

/* Fields, their names and their schemas are constants of the library, valid until the program
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
	bool is_hidden;	       /* shown in JSON; in a table only on request */
	bool is_key;	       /* identifies the row within its process; see schema_row_key() */
	bool is_single;	       /* ROWS: a single row, shown as an object */
	/* ROWS: shown as one object with a member for each row. The first field of the row is the
	 * key. If a row has two fields, the second is the value, else the value is an object. */
	bool is_keyed;
	uint8_t least_width; /* may_shrink: least width of a cut text; 0: width of the heading */
	uint8_t decimals;    /* REAL: number of decimals; 255: all digits */
	const struct sooth_names *names;
	const struct sooth_schema *rows; /* of SOOTH_FIELD_ROWS */
	/* SOOTH_FIELD_LEVELS numbers, in the value's unit: the thresholds of the
	 * three colors, mild to alarming. NULL: never colored. */
	const double *levels;
	/* Set if the text is a private name: a redacted report shows "user-1" instead. */
	const char *placeholder; /* "user"; NULL: a text that may have names; "": never private */
	enum sooth_masking masking;
};

#define SOOTH_FIELD_LEVELS 3

/*
 * The value of a field in a record, in the field's unit. Read the union only if the state is VALUE,
 * or TRUNCATED: then it has the first part of the value. Texts and lists are borrowed from the
 * record.
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
			/* Unaligned little-endian 32-bit numbers; for SERIES doubles. */
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
	SOOTH_CLASS_DEFINITION, /* a name for an id; repeated in each segment */
	SOOTH_CLASS_ROW,	/* computed for a report; never in a capture */
};

/* The time that a record covers. It decides whether a time range of a capture includes the
 * record. */
enum sooth_time_span {
	SOOTH_TIME_SPAN_MOMENT, /* the record's time */
	/* Starts at the 64 bits behind the header (0: unknown), ends at the record's time. */
	SOOTH_TIME_SPAN_WINDOW, /* included if all of it is in the range: a count cannot be divided
				 */
	SOOTH_TIME_SPAN_REACH,	/* included if any of it is in the range: losses */
	SOOTH_TIME_SPAN_RUN,	/* always included: the record comes only once */
};

struct sooth_schema {
	const char *name; /* "syscalls.count" */
	uint16_t kind;	  /* kind of its records; 0: rows, which their section identifies */
	enum sooth_class class_;
	uint16_t fixed_size; /* header and fixed part, as this build writes it */
	const struct sooth_field *fields;
	size_t field_count;
	/*
	 * Template of a text line for the record; NULL: it is a table row. {name} is a field; [...]
	 * is left out if a field in the brackets has no value or is empty.
	 */
	const char *line;
	enum sooth_time_span time_span;
	const struct sooth_runs *runs; /* NULL: none */
};

/*
 * Returns the value of a field. Safe for any record whose `words` and `fixed_words` are right (see
 * sooth_record_check()): a member that the writer did not know is ABSENT, a text that points
 * outside the record is NOT_MEASURED (FAILED).
 */
struct sooth_value sooth_field_get(
	const struct sooth_field *field, const struct sooth_record *record);
/* Returns the field with that name; NULL: the schema has none. */
const struct sooth_field *sooth_schema_field(const struct sooth_schema *schema, const char *name);
/*
 * Writes the value as people read it: with its unit, names for numbers; "-": no value, "?": not
 * measured. Control characters, which may come from a target, are escaped. Writes at most `size`
 * bytes, including the NUL; returns the length of the whole text without the NUL.
 */
size_t sooth_field_text(
	const struct sooth_field *field, const struct sooth_record *record, char *out, size_t size);
/* Returns the record behind `before` in a value of SOOTH_FIELD_ROWS; `before` NULL: the first.
 * NULL: no more. Its schema is field->rows. It is borrowed for as long as the value. */
const struct sooth_record *sooth_rows_next(
	const struct sooth_value *rows, const struct sooth_record *before);
/* Returns whether the `size` bytes at `record` are one whole, well-formed record. `record` has to
 * be aligned to 8 bytes, as in a block or in memory of malloc(). */
bool sooth_record_check(const struct sooth_record *record, size_t size);
/* Returns the text of a reason for people, like "permission denied": static, never NULL. */
const char *sooth_reason_text(enum sooth_reason reason);

#ifdef __cplusplus
}
#endif
#endif
