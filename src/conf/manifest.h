/*
 * Configurations that stand within other YAML: in the ConfigMaps of Kubernetes, and in the
 * values of the fluent-bit chart.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include "pool.h"
#include "yaml_doc.h"

/* A file within the YAML file. */
struct inner {
	const char *name; /* without folders: fluent-bit.conf */
	const char *file; /* as findings call it */
	unsigned line;    /* of ${file}, in front of its first */
	bool aside;       /* of another ConfigMap than the main file */
	struct slice text;
};

/* A variable of the container. */
struct inner_variable {
	const char *name, *value;
};

struct manifest {
	struct pool *pool;
	struct findings *findings;
	const char *file;
	const char *inside;             /* ConfigMap NAME, or the chart's values; NULL: none yet */
	const struct yaml_node *object; /* the ConfigMap of the main file */
	struct inner *at; /* first those that are the main file, one after the other */
	size_t n, main;
	struct inner_variable *variables;
	size_t nvariables;
};

/**
 * manifest_read(pool, file, documents, findings):
 * Return the files that stand in the YAML file ${file}; NULL: it is none of Kubernetes or
 * of the chart, but a configuration itself.  All that is returned stands in ${pool}.
 */
struct manifest *manifest_read(struct pool *pool, const char *file,
    const struct yaml_node *documents, struct findings *findings);

/**
 * manifest_find(m, path, after):
 * Return the next file behind ${after} (NULL: the first) that is called as the path or
 * glob ${path} is at its end; NULL: none is, or ${m} is NULL.  A glob is not the main file;
 * one with a folder, where another ConfigMap has such files, is of these: each is mounted in
 * a folder of its own.
 */
const struct inner *manifest_find(
    const struct manifest *m, const char *path, const struct inner *after);

/**
 * manifest_add(m, name, n):
 * Add the file ${name}, the text of ${n}.
 */
struct inner *manifest_add(struct manifest *m, const char *name, const struct yaml_node *n);

/**
 * manifest_env(m, list):
 * Take the variables of a container: [{name, value} or {name, valueFrom}].
 */
void manifest_env(struct manifest *m, const struct yaml_node *list);

#endif
