{{- define "towline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "towline.fullname" -}}
{{- $name := include "towline.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "towline.selector" -}}
app.kubernetes.io/name: {{ include "towline.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "towline.labels" -}}
{{ include "towline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* On the pods: nothing that a new version of the chart would change. */}}
{{- define "towline.podLabels" -}}
{{ include "towline.selector" . }}
{{- with merge dict .Values.podLabels .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "towline.serviceAccount" -}}
{{- default (include "towline.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "towline.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The main file, inside the directory that the ConfigMap is mounted at. */}}
{{- define "towline.file" -}}
/etc/towline/conf/{{ if .Values.existingConfigMap }}{{ .Values.existingConfigMapKey }}{{ else }}towline.conf{{ end }}
{{- end }}

{{- /* [SERVICE], which ends config.service, with config.options and those of observatory and webConfig. */}}
{{- define "towline.service" -}}
{{- $s := .Values.config.service | trimAll "\n" }}
{{- range $name, $value := .Values.config.options }}
{{- if kindIs "slice" $value }}{{ $value = join ", " $value }}{{ end }}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{- $s = printf "%s\n    %s  %v" $s $name $value }}
{{- end }}
{{- $s }}
{{- if .Values.observatory.enabled }}
{{- if not (contains "agent_gauges" (lower $s)) }}
    Agent_Gauges  poll
{{- end }}
{{- if not (contains "cgroup_path" (lower $s)) }}
    Cgroup_Path   /host/sys/fs/cgroup
{{- end }}
{{- end }}
{{- if and .Values.webConfig.secret (not (contains "http_web_config" (lower $s))) }}
    HTTP_Web_Config /etc/towline/web/web.yml
{{- end }}
{{- end }}

{{- /* "HTTPS" or "HTTP": how port 8000 is asked. */}}
{{- define "towline.scheme" -}}
{{- ternary "HTTPS" "HTTP" (and (ne .Values.webConfig.secret "") .Values.webConfig.tls) }}
{{- end }}

{{- define "towline.journalMounts" -}}
{{- if .Values.journal.enabled }}
- name: journal
  mountPath: {{ .Values.journal.path }}
  readOnly: true
- name: machine-id
  mountPath: /etc/machine-id
  readOnly: true
{{- end }}
{{- end }}

{{- define "towline.webMount" -}}
{{- if .Values.webConfig.secret }}
- name: web
  mountPath: /etc/towline/web
  readOnly: true
{{- end }}
{{- end }}

{{- define "towline.conf" -}}
{{- $c := .Values.config }}
{{- range $i, $piece := list (include "towline.service" .) $c.inputs $c.filters $c.outputs }}
{{- if $i }}
{{ end }}
{{- tpl $piece $ | trimAll "\n" }}
{{ end }}
{{- end }}

{{- /* The ports of a NetworkPolicy for polling: those of Agent_Ports, as far as it can be seen. */}}
{{- define "towline.agentPorts" -}}
{{- $given := "" }}
{{- if not .Values.existingConfigMap }}
{{- $given = regexFind "(?im)^[ \t]+Agent_Ports[ \t].*$" (include "towline.conf" .) }}
{{- end }}
{{- $ports := list "8080" "9464" }}
{{- if $given }}
{{- $ports = list }}
{{- range regexFindAll "[ ,\t][0-9]+/" $given -1 }}
{{- $ports = append $ports (trimAll " ,\t/" .) }}
{{- end }}
{{- end }}
{{- range uniq $ports }}
- port: {{ . }}
  protocol: TCP
{{- end }}
{{- end }}

{{- /* Ours alone: no privilege, no capability, nothing to write but the state. */}}
{{- define "towline.hardened" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* Relabelings of a monitor: a series' instance is the node. */}}
{{- define "towline.instance" -}}
- sourceLabels: [__meta_kubernetes_pod_node_name]
  targetLabel: instance
{{- end }}
