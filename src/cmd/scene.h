/* The files of a test, laid out as on a node: for `towline test`. */
#ifndef SCENE_H
#define SCENE_H

struct scene {
	char *folder; /* stands for / */
	char *state;
};

/**
 * scene_make(s, dir, pods), scene_remove(s):
 * Copy the folders of ${dir} that are a node's (all but `expected` and hidden ones) to a
 * folder of its own.  A plain file containers/POD_NAMESPACE_CONTAINER-ID.log becomes what
 * the kubelet makes: a link to pods/NAMESPACE_POD_UID/CONTAINER/0.log, with the uid that
 * the file ${pods} (kubectl get pods -o json; NULL: none) has for the pod.  Return 0, or
 * -1 after saying why; remove the copy, after either.
 */
int scene_make(struct scene *s, const char *dir, const char *pods);
void scene_remove(struct scene *s);

#endif
