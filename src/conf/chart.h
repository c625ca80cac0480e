/* The values of the fluent-bit chart, and of towline's, which has the same form. */
#ifndef CHART_H
#define CHART_H

#include "manifest.h"

/**
 * chart_take(m, values):
 * Add the files that the chart makes of ${values}, or of those of a chart in it; nothing
 * when they have no configuration.
 */
void chart_take(struct manifest *m, const struct yaml_node *values);

/**
 * chart_template(m, values, n):
 * Return the text of ${n} with its templates replaced, in the pool: {{ .Values.a.b }} by
 * the value that ${values} has, or the chart's own.  Others are findings.
 */
char *chart_template(struct manifest *m, const struct yaml_node *values, const struct yaml_node *n);

#endif
