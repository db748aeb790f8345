/* SPDX-License-Identifier: BSD-2-Clause */
/* A scan of every process of this host. */
#include "cli/selected/process_table_scan.h"

#include "cli/user_agents/user_agents.h"

static int add_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	(void)schema;
	process_table_add_record(user, record);
	return 0;
}

int scan_observe_once(struct sooth_observer *o, struct sooth_report *r, struct sooth_error *err)
{
	int status = sooth_observer_connect_report(o, r, err);

	if (!status)
		status = sooth_observer_start(o, err);
	if (!status)
		status = sooth_observer_stop(o, SOOTH_END_STOPPED, err);
	return status ? status : sooth_report_finish(r, err);
}

int process_table_observe_once(struct sooth_observer *o, struct sooth_report *r, unsigned interest,
	struct sooth_error *err)
{
	int status = sooth_observer_add_probe(o, "proc", interest, err);

	if (!status)
		status = user_agents_add(o, err);
	return status ? status : scan_observe_once(o, r, err);
}

static int scan_host(struct process_table *c, unsigned interest, struct sooth_error *err)
{
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	int status;

	process_table_init(c);
	status = sooth_report_new(&r, "scan", err);
	if (!status)
		status = sooth_observer_new(&o, NULL, err);
	if (!status) {
		sooth_report_on_record(r, add_record, c);
		status = sooth_observer_set_host(o, err);
	}
	if (!status)
		status = process_table_observe_once(o, r, interest, err);
	if (!status && process_table_resolve(c))
		status = error_no_memory(err);
	sooth_observer_free(o);
	sooth_report_free(r);
	return status;
}

int process_table_scan(struct process_table *c, struct sooth_error *err)
{
	return scan_host(c, SOOTH_SAMPLE | SOOTH_BRIEF, err);
}

int process_table_scan_names(struct process_table *c, struct sooth_error *err)
{
	return scan_host(c, SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_ONCE | SOOTH_RUNNING, err);
}

int process_table_scan_all(struct process_table *c, struct sooth_error *err)
{
	return scan_host(c, SOOTH_SAMPLE, err);
}
