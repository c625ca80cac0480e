{{- /* Combinations that would install and not work: each says why, and what to set. */}}
{{- define "towline.refuse" -}}
{{- $v := .Values }}

{{- if not $v.skipNamespaceCheck }}
{{- with lookup "v1" "Namespace" "" .Release.Namespace }}
{{- if ne (dig "metadata" "labels" "pod-security.kubernetes.io/enforce" "" .) "privileged" }}
{{- fail (printf "\n\nNamespace %q is not labelled pod-security.kubernetes.io/enforce: privileged. towline reads the node's log files by hostPath, which the levels baseline and restricted refuse: its pods would never be made. Give it a namespace of its own (not the agents', which should keep its level):\n\n    kubectl apply -f conf/kubernetes/base/namespace.yaml\n\nor, where another level is enforced or exempted by other means, set skipNamespaceCheck=true.\n" $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}

{{- if and (not $v.serviceAccount.create) (not $v.serviceAccount.name) }}
{{- fail "\n\nserviceAccount.create is false and serviceAccount.name is empty: every pod of the namespace that names no account would be given towline's rights. Set serviceAccount.name to the account that you made.\n" }}
{{- end }}

{{- if and $v.podMonitor.enabled $v.serviceMonitor.enabled }}
{{- fail "\n\npodMonitor.enabled and serviceMonitor.enabled are both true: each pod would be scraped twice, and every sum over its counters doubled. Choose one.\n" }}
{{- end }}

{{- if $v.hostNetwork }}
{{- if $v.agentsNetworkPolicy.enabled }}
{{- fail "\n\nhostNetwork and agentsNetworkPolicy.enabled: pods of the host's network come from the node's address and match no policy's selector, so that the agents would still refuse them. Leave one out.\n" }}
{{- end }}
{{- if $v.networkPolicy.enabled }}
{{- fail "\n\nhostNetwork: no NetworkPolicy holds a pod of the host's network, and port 8000 is open on every node to whoever reaches it. Set networkPolicy.enabled=false when that is closed by other means (docs: SECURITY.md).\n" }}
{{- end }}
{{- end }}

{{- if and $v.existingConfigMap $v.config.options }}
{{- fail (printf "\n\nconfig.options would be ignored beside existingConfigMap: put them into [SERVICE] of the file in ConfigMap %q.\n" $v.existingConfigMap) }}
{{- end }}
{{- range $name, $_ := $v.config.options }}
{{- if regexMatch (printf "(?im)^[ \\t]+%s[ \\t]" (replace "." "\\." $name)) $v.config.service }}
{{- fail (printf "\n\nconfig.options has %s, and config.service has it, too: of two lines lists become longer, and of others one is ignored. Leave one out.\n" $name) }}
{{- end }}
{{- end }}

{{- if and $v.existingConfigMap $v.config.customParsers }}
{{- fail (printf "\n\nconfig.customParsers would be ignored beside existingConfigMap: put the parsers into a file of ConfigMap %q, and name it there with Parsers_File.\n" $v.existingConfigMap) }}
{{- end }}

{{- if not $v.existingConfigMap }}
{{- $conf := include "towline.conf" . }}
{{- if and $v.config.customParsers (not (regexMatch "(?im)^[ \t]+Parsers_File[ \t].*custom_parsers\\.conf" $conf)) }}
{{- fail "\n\nconfig.customParsers is set, and nothing reads it: add `Parsers_File custom_parsers.conf` to config.service.\n" }}
{{- end }}
{{- with regexFind "(?im)^[ \t]+HTTP_Port[ \t]+\\S+" $conf }}
{{- if ne (regexFind "\\S+$" .) "8000" }}
{{- fail (printf "\n\nconfig.service says %q: the probes, the Service and the scrape configuration ask at port 8000, so that the pods would be restarted for ever. Leave HTTP_Port out.\n" (trim .)) }}
{{- end }}
{{- end }}
{{- if regexMatch "(?im)^[ \t]+HTTP_Server[ \t]+(off|false|no)[ \t]*$" $conf }}
{{- fail "\n\nconfig.service says HTTP_Server off: the probes ask at port 8000, so that the pods would be restarted for ever. Leave it out; networkPolicy.from says who may reach the port.\n" }}
{{- end }}
{{- if and (not $v.webConfig.secret) (regexMatch "(?im)^[ \t]+HTTP_Web_Config[ \t]" $conf) }}
{{- fail "\n\nconfig.service names HTTP_Web_Config, and the probes would ask without TLS: set webConfig.secret to the Secret that has the file as web.yml, and leave the option out.\n" }}
{{- end }}
{{- with regexFind "(?im)^[ \t]+Grace[ \t]+-?[0-9]+s?[ \t]*$" $conf }}
{{- $grace := regexFind "-?[0-9]+" . | int }}
{{- if or (lt $grace 0) (ge $grace (int $v.terminationGracePeriodSeconds)) }}
{{- fail (printf "\n\nconfig.service says Grace %d, and terminationGracePeriodSeconds is %d: the kubelet would kill towline before it has delivered what it read. Nothing is lost by that, but what was on its way is sent once more. Set terminationGracePeriodSeconds to more than Grace.\n" $grace (int $v.terminationGracePeriodSeconds)) }}
{{- end }}
{{- end }}
{{- if and $v.rbac.create (not $v.kubernetes.namespaceMetadata) (regexMatch "(?im)^[ \t]+Namespace_(Labels|Annotations)[ \t]+(on|true|yes)[ \t]*$" $conf) }}
{{- fail "\n\nconfig.filters asks for labels or annotations of namespaces, and the ClusterRole does not allow to get them: set kubernetes.namespaceMetadata=true.\n" }}
{{- end }}
{{- if and $v.rbac.create (not $v.kubernetes.nodeMetadata) (regexMatch "(?im)^[ \t]+Node_Labels[ \t]+(on|true|yes)[ \t]*$" $conf) }}
{{- fail "\n\nconfig.filters asks for the node's labels, and the ClusterRole does not allow to get nodes: set kubernetes.nodeMetadata=true.\n" }}
{{- end }}
{{- end }}
{{- end }}
