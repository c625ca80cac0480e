/* Templates that the server has, beside ours.  Inside src/ship/ alone. */
#ifndef ES_OTHERS_H
#define ES_OTHERS_H

#include <jansson.h>
#include <stdbool.h>

/* The version in a _meta of towline's; 0: it is another's. */
json_int_t es_others_version(const json_t *meta);

/**
 * es_others_composable(answer, ours, includes), es_others_legacy(answer, ours, includes):
 * The name of the first template in the ${answer} to `GET _index_template` (of the kind
 * before: `GET _template`) that one of the pattern ${ours} would displace: neither
 * the server's own nor towline's, for indices like ours.  ${*includes}: it includes our
 * component.  NULL: there is none.
 */
const char *es_others_composable(const json_t *answer, const char *ours, bool *includes);
const char *es_others_legacy(json_t *answer, const char *ours, bool *includes);

#endif
